---@meta reactor.sys

--- The raw system calls on descriptors. None waits: they return nil, "again" instead.
---@class reactor.sys
local sys = {}

---@alias reactor.Family "inet"|"inet4"|"inet6"|"unix"|"netlink"|"packet"
---@alias reactor.SocketType "stream"|"dgram"|"seqpacket"|"raw"

---@alias reactor.SocketOption
---| "reuseaddr" | "reuseport" | "keepalive" | "broadcast" | "oobinline"
---| "sndbuf" | "rcvbuf" | "error" | "type" | "passcred" | "linger"
---| "nodelay" | "cork" | "keepidle" | "keepintvl" | "keepcnt" | "user_timeout"
---| "ip_recverr" | "ip_ttl" | "ipv6_only"

--- Opens a socket.
---@param family reactor.Family
---@param type reactor.SocketType
---@param protocol? integer
---@return integer? fd
---@return string? err
---@return string? errno
function sys.socket(family, type, protocol) end

--- Opens two connected sockets; "unix" and "stream" if absent.
---@param family? reactor.Family
---@param type? reactor.SocketType
---@return integer? fd
---@return integer|string fd_or_err
---@return string? errno
function sys.socketpair(family, type) end

--- Opens a pipe.
---@return integer? read_end
---@return integer|string write_end_or_err
---@return string? errno
function sys.pipe() end

--- Gives a socket its own address.
---@param fd integer
---@param address string
---@return true?
---@return string? err
---@return string? errno
function sys.bind(fd, address) end

--- Makes a socket take connections.
---@param fd integer
---@param backlog? integer 4096 if absent
---@return true?
---@return string? err
---@return string? errno
function sys.listen(fd, backlog) end

--- Takes a connection; the second result is the address of its peer.
---@param fd integer
---@return integer? fd
---@return string peer_or_err
---@return string? errno
function sys.accept(fd) end

--- Begins to connect: nil, "again" while it is under way.
---@param fd integer
---@param address string
---@return true?
---@return string? err
---@return string? errno
function sys.connect(fd, address) end

--- The address of the socket's own end.
---@param fd integer
---@return string?
---@return string? err
---@return string? errno
---@nodiscard
function sys.getsockname(fd) end

--- The address of the other end.
---@param fd integer
---@return string?
---@return string? err
---@return string? errno
---@nodiscard
function sys.getpeername(fd) end

--- Reads bytes; "" at the end.
---@param fd integer
---@param n? integer at most 65536, which it is if absent
---@return string?
---@return string? err
---@return string? errno
function sys.read(fd, n) end

--- Writes as much as goes at once.
---@param fd integer
---@param bytes string
---@return integer? written
---@return string? err
---@return string? errno
function sys.write(fd, bytes) end

--- Receives bytes from a socket; "" at the end of a stream.
---@param fd integer
---@param n? integer at most 65536, which it is if absent
---@param flags? string "oob", "peek", "more", "errqueue", "trunc", with commas between
---@return string?
---@return string? err
---@return string? errno
function sys.recv(fd, n, flags) end

--- Sends as much as goes at once.
---@param fd integer
---@param bytes string
---@param flags? string "oob", "peek", "more", "errqueue", "trunc", with commas between
---@return integer? sent
---@return string? err
---@return string? errno
function sys.send(fd, bytes, flags) end

--- Receives bytes, with their sender and the descriptors that came with them.
---@param fd integer
---@param n? integer at most 65536, which it is if absent
---@param flags? string "oob", "peek", "more", "errqueue", "trunc", with commas between
---@return string?
---@return string? sender_or_err
---@return integer[]|string|nil descriptors_or_errno
function sys.recvmsg(fd, n, flags) end

--- Sends bytes, to an address where one is given, and at most 16 descriptors.
---@param fd integer
---@param bytes string
---@param address? string
---@param flags? string "oob", "peek", "more", "errqueue", "trunc", with commas between
---@param ... integer
---@return integer? sent
---@return string? err
---@return string? errno
function sys.sendmsg(fd, bytes, address, flags, ...) end

--- Ends receiving, sending or both.
---@param fd integer
---@param direction? "r"|"w"|"rw"
---@return true?
---@return string? err
---@return string? errno
function sys.shutdown(fd, direction) end

--- Closes a descriptor.
---@param fd integer
---@return true?
---@return string? err
---@return string? errno
function sys.close(fd) end

--- A new number for the same open file.
---@param fd integer
---@return integer? fd
---@return string? err
---@return string? errno
function sys.dup(fd) end

--- Reads a socket option.
---@param fd integer
---@param name reactor.SocketOption
---@return integer?
---@return string? err
---@return string? errno
---@nodiscard
function sys.getsockopt(fd, name) end

--- Sets a socket option.
---@param fd integer
---@param name reactor.SocketOption
---@param value integer
---@return true?
---@return string? err
---@return string? errno
function sys.setsockopt(fd, name, value) end

--- Whether a descriptor is a terminal.
---@param fd integer
---@return boolean
---@nodiscard
function sys.isatty(fd) end

return sys
