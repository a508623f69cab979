internal import CLinux

/// What goes with the bytes of one recvmsg(2) or sendmsg(2).
public struct Message: Sendable {
  /// The most descriptors that one message passes.
  public static let maximumDescriptors = Int(LINUX_MESSAGE_DESCRIPTORS)

  /// The sender, or the receiver. nil: the socket is connected.
  public var address: SocketAddress?
  /// Descriptors passed with SCM_RIGHTS over a Unix socket, at most 16. Received ones belong to
  /// the receiver, are close-on-exec, and may be blocking.
  public var descriptors: [Int32]
  /// The flags of a received message, such as MSG_TRUNC (0x20) and MSG_CTRUNC (0x08).
  public var flags: Int32

  public init(address: SocketAddress? = nil, descriptors: [Int32] = [], flags: Int32 = 0) {
    self.address = address
    self.descriptors = descriptors
    self.flags = flags
  }
}

extension Message {
  init(_ raw: borrowing linux_message) {
    address = raw.address.length == 0 ? nil : SocketAddress(raw: raw.address)
    flags = raw.flags
    descriptors = []
    let count = min(max(Int(raw.count), 0), Self.maximumDescriptors)
    guard count > 0 else { return }
    unsafe withUnsafeBytes(of: raw.descriptors) { bytes in
      descriptors = unsafe Array(bytes.bindMemory(to: Int32.self).prefix(count))
    }
  }

  /// The message as the C side takes it. nil: it has more than 16 descriptors.
  borrowing func raw() -> linux_message? {
    guard descriptors.count <= Self.maximumDescriptors else { return nil }
    var raw = linux_message()
    if let address { raw.address = address.raw }
    raw.count = Int32(descriptors.count)
    unsafe withUnsafeMutableBytes(of: &raw.descriptors) { bytes in
      unsafe descriptors.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
    }
    return raw
  }
}
