// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "BareReactor",
  dependencies: [.package(name: "luareact", path: "../..")],
  targets: [
    .executableTarget(
      name: "BareReactor",
      dependencies: [
        .product(name: "Reactor", package: "luareact")
      ],
      swiftSettings: [.treatAllWarnings(as: .error)])
  ]
)
