//! Finds the library: SUGAR_LIBRARY (the path of libsugar.so), or what pkg-config says, or the linker's own folders.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-env-changed=SUGAR_LIBRARY");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-lib=dylib=sugar");
    match env::var_os("SUGAR_LIBRARY") {
        Some(path) if !path.is_empty() => link_file(Path::new(&path)),
        _ => ask_pkg_config(),
    }
}

/// Links that file: under the name that the linker looks for, and the one that programs look for when cargo runs
/// them, in a folder of this build.
fn link_file(path: &Path) {
    let file =
        fs::canonicalize(path).unwrap_or_else(|error| panic!("SUGAR_LIBRARY: {}: {}", path.display(), error));
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for name in ["libsugar.so".to_string(), format!("libsugar.so.{}", abi_version())] {
        let link = folder.join(name);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&file, &link).expect("a link in OUT_DIR");
    }
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rerun-if-changed={}", file.display());
}

/// The number in the library's SONAME, as src/lib.rs has it from the header.
fn abi_version() -> String {
    let source = fs::read_to_string("src/lib.rs").expect("src/lib.rs");
    let line = source.lines().find(|line| line.starts_with("pub const SUGAR_ABI_VERSION"));
    let value = line.and_then(|line| line.split(&['=', ';'][..]).nth(1)).expect("SUGAR_ABI_VERSION in src/lib.rs");
    value.trim().to_string()
}

fn ask_pkg_config() {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_string());
    match Command::new(&program).args(["--libs-only-L", "libsugar"]).output() {
        Ok(output) if output.status.success() => {
            for folder in String::from_utf8_lossy(&output.stdout).split_whitespace() {
                println!("cargo:rustc-link-search=native={}", folder.trim_start_matches("-L"));
            }
        }
        _ => println!("cargo:warning={} does not know libsugar; linking what the linker finds", program),
    }
}
