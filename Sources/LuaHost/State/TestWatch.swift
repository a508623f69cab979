/// What `reactor.test` keeps of a host while its tests run.
struct TestWatch {
  /// Texts for people: they are the business of the test that runs, not of standard error.
  var reports: [String] = []
  /// Descriptors that `reactor.sys` handed out and has not closed, and where that was.
  private(set) var descriptors: [(fd: Int32, site: UInt32)] = []

  mutating func made(_ fd: Int32, _ site: UInt32) {
    closed(fd)
    descriptors.append((fd, site))
  }

  mutating func closed(_ fd: Int32) { descriptors.removeAll { $0.fd == fd } }
}
