// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "EmbedLua",
  dependencies: [.package(name: "luareact", path: "../..")],
  targets: [
    .executableTarget(
      name: "EmbedLua",
      dependencies: [
        .product(name: "LuaHost", package: "luareact"),
        .product(name: "Reactor", package: "luareact"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)])
  ]
)
