/// An error of a verb, as a positive number.
struct Errno: Error {
  let code: Int32
}
