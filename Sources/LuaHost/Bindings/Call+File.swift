import CLua
import Glibc
import Reactor

extension Call {
  /// The file behind argument 0; nil when it was closed.
  var file: File? { host.objects.find(handle(), .file, as: File.self) }

  func answer(_ file: File) -> Int32 {
    let (slot, generation) = host.objects.insert(file, .file)
    push(handle: slot, generation, of: .file)
    return done
  }

  func isHandle(_ index: Int, of kind: HandleClass) -> Bool {
    unsafe self.kind(index) == LR_HANDLE && raw.pointee.arguments[index].class_id == kind.rawValue
  }

  /// Answers argument `index` as it was passed.
  func answerSame(_ index: Int) -> Int32 {
    push(index + 1)
    unsafe raw.pointee.results[Int(raw.pointee.result_count) - 1].kind = UInt32(LR_SAME)
    return done
  }

  /// Pushes the number that some bytes spell.
  func push(numeral: UnsafeRawBufferPointer) {
    push(unsafe String(decoding: numeral, as: UTF8.self) + "\0")
    unsafe raw.pointee.results[Int(raw.pointee.result_count) - 1].kind = UInt32(LR_NUMERAL)
  }

  func removeResults() { unsafe raw.pointee.result_count = 0 }

  /// Answers `nil, text, errno` as the stock io and os libraries do.
  func failNumbered(_ code: Int32, _ name: String? = nil) -> Int32 {
    var text = "\(SystemError.text(of: code))"
    text = text.prefix(1).uppercased() + text.dropFirst()
    removeResults()
    push()
    push(name.map { "\($0): \(text)" } ?? text)
    return answer(Int(code))
  }

  // MARK: Waiting, where a call may

  /// Asks C for the checks of a call that waits; the leaf runs again after them.
  var check: Int32 { Int32(LR_CHECK) }

  /// Whether the leaf runs after the checks that it asked for.
  func takeChecked() -> Bool {
    defer { unsafe raw.pointee.checked = 0 }
    return unsafe raw.pointee.checked != 0
  }

  /// The caller of a wait without a limit.
  var untimedCaller: Caller { unsafe Caller(waiter: waiter, reason: reason, deadline: .max) }

  /// How long a writer waits before it looks again whether the reader has caught up.
  private static let moment: UInt64 = 2_000_000

  /// Waits for the reader of `output` until `isDone`. nil: it is, or the caller cannot wait.
  ///
  /// A look every 2 ms: the descriptors of the standard streams belong to others too, so that
  /// they cannot be registered without changing what those see.
  func wait(until isDone: @autoclosure () -> Bool, _ output: OutputBuffer) -> Int32? {
    switch reason {
    case .first: break
    case .timeout: output.flush(host.kernel)
    case let reason: return end(reason)
    }
    if isDone() { return nil }
    guard let waiter = unsafe waiter, unsafe lr_can_wait(raw) != 0 else { return nil }
    unsafe host.driver.waits.park(waiter, deadline: host.kernel.monotonic() + Self.moment)
    return parked
  }
}
