// swift-tools-version: 6.3
import PackageDescription

/// One line of settings for every Swift target: strict about memory, about isolation and about
/// what a file imports. No unsafe flags, so that other packages may depend on this one.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "luareact",
  products: [
    .library(name: "Reactor", targets: ["Reactor"]),
    .library(name: "LuaHost", targets: ["LuaHost"]),
    .library(name: "Simulator", targets: ["Simulator"]),
    .executable(name: "luareact", targets: ["luareact"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CLua", linkerSettings: [.linkedLibrary("lua5.4")]),
    .target(name: "Reactor", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "Simulator", dependencies: ["Reactor"], swiftSettings: strict),
    .target(
      name: "LuaHost", dependencies: ["Reactor", "CLua"], exclude: ["Prelude"],
      swiftSettings: strict),
    .executableTarget(
      name: "luareact",
      dependencies: [
        "LuaHost", "CLua", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      resources: [
        .embedInCode("Lua/test_runner.lua"), .embedInCode("Lua/test_file.lua"),
        .embedInCode("Lua/report_text.lua"), .embedInCode("Lua/report_tap.lua"),
        .embedInCode("Lua/report_junit.lua"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "AllocationSweep", dependencies: ["LuaHost"], path: "Tests/AllocationSweep",
      exclude: ["scripts"], swiftSettings: strict),
    .executableTarget(
      name: "WorldBench", dependencies: ["Simulator"], path: "Benchmarks/world",
      swiftSettings: strict),
    .testTarget(name: "ReactorTests", dependencies: ["Reactor"], swiftSettings: strict),
    .testTarget(name: "SimulatorTests", dependencies: ["Simulator"], swiftSettings: strict),
    .testTarget(name: "LuaHostTests", dependencies: ["LuaHost"], swiftSettings: strict),
    .testTarget(name: "CommandTests", exclude: ["faults"], swiftSettings: strict),
  ]
)
