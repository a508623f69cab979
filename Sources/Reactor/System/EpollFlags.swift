internal import CLinux

extension Interest {
  /// The events that epoll reports for this interest. Errors and hang-ups come without asking.
  ///
  /// Always edge-triggered: a registration is made once, and no wait needs an epoll_ctl(2).
  package var epollEvents: UInt32 {
    var events = LINUX_EPOLL_ET
    if contains(.read) { events |= LINUX_EPOLL_IN | LINUX_EPOLL_RDHUP }
    if contains(.write) { events |= LINUX_EPOLL_OUT }
    if contains(.priority) { events |= LINUX_EPOLL_PRI }
    if contains(.closed) { events |= LINUX_EPOLL_RDHUP }
    return events
  }
}

extension Ready {
  /// What events of epoll say of a descriptor. Source: epoll_ctl(2).
  package init(epollEvents events: UInt32) {
    self = []
    if events & LINUX_EPOLL_IN != 0 { insert(.readable) }
    if events & LINUX_EPOLL_OUT != 0 { insert(.writable) }
    if events & LINUX_EPOLL_PRI != 0 { insert(.priority) }
    if events & LINUX_EPOLL_ERR != 0 { insert(.error) }
    if events & LINUX_EPOLL_RDHUP != 0 { insert(.readClosed) }
    if events & LINUX_EPOLL_HUP != 0 { formUnion([.readClosed, .writeClosed]) }
    // The full writing end of a pipe whose reader is gone. With EPOLLOUT it may be a connected
    // UDP socket with an ICMP error, which can be written to again.
    if events == LINUX_EPOLL_ERR { insert(.writeClosed) }
  }
}
