# Not run: written after Conan's documentation.
import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy
from conan.tools.gnu import PkgConfigDeps


class Efface(ConanFile):
    name = "efface"
    version = "0.1.0"
    license = "Apache-2.0"
    description = "An embedded key-value store for personal data that can forget a person"
    settings = "os", "compiler", "build_type", "arch"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": False, "fPIC": True}
    requires = ("lmdb/0.9.31", "libsodium/1.0.18", "zstd/1.5.5", "flatbuffers/2.0.8", "p11-kit/0.24.1")
    tool_requires = ("flatbuffers/2.0.8", "pkgconf/2.0.3")

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "include/*", "lib/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["EFFACE_DEVELOPER"] = False
        toolchain.cache_variables["EFFACE_TOOLS"] = False
        toolchain.cache_variables["EFFACE_TPM"] = "OFF"
        toolchain.generate()
        PkgConfigDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        self.cpp_info.libs = ["efface"]
        self.cpp_info.set_property("cmake_target_name", "efface::efface")
