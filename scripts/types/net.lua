---@meta reactor.net

--- TCP and Unix streams, listeners, UDP and names.
---@class reactor.net
local net = {}

---@class reactor.ListenOptions
---@field backlog? integer connections that may wait to be accepted; 4096 if absent
---@field reuseport? boolean lets several processes share the port

---@class reactor.ConnectOptions
---@field timeout? number seconds for the whole call
---@field bind? string address of this end

---@class reactor.UDPOptions
---@field peer? string the only address that it sends to and hears from

--- A socket that takes connections.
---@class reactor.Listener
local Listener = {}

--- A connected byte stream: TCP or a Unix socket.
---@class reactor.Connection
local Connection = {}

--- A UDP or Unix datagram socket.
---@class reactor.UDPSocket
local UDPSocket = {}

--- Listens at an address such as "127.0.0.1:0", "[::1]:80", "unix:/path" or "localhost:80".
---@param address string
---@param options? reactor.ListenOptions
---@return reactor.Listener?
---@return string? err
---@return string? errno
function net.listen(address, options) end

--- Connects; the addresses of a name are tried one after the other.
---@param address string
---@param options? reactor.ConnectOptions
---@return reactor.Connection?
---@return string? err
---@return string? errno
function net.connect(address, options) end

--- Runs handler(connection, peer) in a task for each connection, until the listener is closed.
---@param listener reactor.Listener
---@param handler fun(conn: reactor.Connection, peer: string)
---@param options? table no option so far
---@return true
function net.serve(listener, handler, options) end

--- Looks up a name: numeric addresses in the order of preference.
---@param address string
---@param timeout? number seconds
---@return string[]?
---@return string? err
---@return string? detail
function net.resolve(address, timeout) end

--- Opens a UDP socket.
---@param address? string
---@param options? reactor.UDPOptions
---@return reactor.UDPSocket?
---@return string? err
---@return string? errno
function net.udp(address, options) end

--- Takes one connection; the second result is the address of its peer.
---@param timeout? number seconds
---@return reactor.Connection?
---@return string peer_or_err
---@return string? errno
function Listener:accept(timeout) end

---@return string?
---@return string? err
---@nodiscard
function Listener:address() end

---@return integer?
---@return "closed"? err
---@nodiscard
function Listener:fd() end

---@return boolean # false when it was closed before
function Listener:close() end

--- What is there: at least one byte, at most n.
---@param n? integer 1 to 65536, which it is if absent
---@param timeout? number seconds
---@return string?
---@return string? err
---@return string? errno
function Connection:read(n, timeout) end

--- The next line without its end.
---@param timeout? number seconds
---@param limit? integer bytes; 65536 if absent
---@return string?
---@return string? err
---@return string? errno
function Connection:readline(timeout, limit) end

--- Iterates over lines until the end of the stream, or an error.
---@return fun(): string?
---@nodiscard
function Connection:lines() end

--- Exactly n bytes.
---@param n integer 0 to 1073741824
---@param timeout? number seconds
---@return string?
---@return string? err
---@return string? errno
function Connection:readn(n, timeout) end

--- Everything before the delimiter, which is taken too.
---@param delimiter string
---@param timeout? number seconds
---@param limit? integer bytes; 65536 if absent
---@param keep? boolean the delimiter is part of the result
---@return string?
---@return string? err
---@return string? errno
function Connection:readuntil(delimiter, timeout, limit, keep) end

--- Everything up to the end of the stream.
---@param timeout? number seconds
---@param limit? integer bytes; none if absent
---@return string?
---@return string? err
---@return string? errno
function Connection:readall(timeout, limit) end

--- Puts bytes before those in the buffer.
---@param bytes string
---@return true?
---@return "closed"? err
function Connection:unread(bytes) end

--- How many bytes the buffer has.
---@return integer
---@nodiscard
function Connection:buffered() end

--- Sends all bytes, whole against other writers.
---@param bytes string|number
---@param timeout? number seconds
---@return integer? sent
---@return string? err
---@return integer|string|nil detail bytes sent after "timeout", else an errno name
function Connection:write(bytes, timeout) end

--- Ends the writing.
---@param direction? "w"
---@return true?
---@return string? err
---@return string? errno
function Connection:shutdown(direction) end

--- Reads a socket option, or sets it.
---@param name reactor.SocketOption
---@param value? integer
---@return integer|true|nil
---@return string? err
---@return string? errno
function Connection:option(name, value) end

---@return string?
---@return string? err
---@nodiscard
function Connection:address() end

---@return string?
---@return string? err
---@return string? errno
---@nodiscard
function Connection:peer() end

---@return integer?
---@return "closed"? err
---@nodiscard
function Connection:fd() end

---@return boolean # false when it was closed before
function Connection:close() end

--- Sends a datagram.
---@param data string
---@param address? string
---@param timeout? number seconds
---@return integer? sent
---@return string? err
---@return string? errno
function UDPSocket:send(data, address, timeout) end

--- Waits for a datagram; the second result is its sender.
---@param timeout? number seconds
---@return string?
---@return string? sender_or_err
---@return string? errno
function UDPSocket:recv(timeout) end

--- Sets or changes the peer.
---@param address string
---@return true?
---@return string? err
---@return string? errno
function UDPSocket:connect(address) end

---@return string?
---@return string? err
---@nodiscard
function UDPSocket:address() end

---@return integer?
---@return "closed"? err
---@nodiscard
function UDPSocket:fd() end

---@return boolean # false when it was closed before
function UDPSocket:close() end

return net
