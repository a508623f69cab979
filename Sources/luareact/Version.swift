import CLua

enum Version {
  static var text: String { unsafe "luareact 0.1.0 (\(String(cString: lr_version())))" }
}
