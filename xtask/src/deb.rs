//! `cargo xtask deb`: a Debian package from a program that was built before, with what `packaging` holds.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::licences;

/// Builds the package and tells where it is. `binary` is the program, `out` the folder for the package.
///
/// # Errors
/// A file is missing, or a Debian tool is missing or refused.
pub(crate) fn build(root: &Path, binary: &Path, out: &Path) -> Result<PathBuf, String> {
    let tree = out.join("sekisho-deb");
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|e| format!("{}: {e}", tree.display()))?;
    }
    let packaging = root.join("packaging");
    install(binary, &tree.join("usr/bin/sekisho"), 0o755)?;
    for unit in ["sekisho.service", "sekisho-backup.service", "sekisho-backup.timer"] {
        install(&packaging.join(unit), &tree.join("usr/lib/systemd/system").join(unit), 0o644)?;
    }
    let doc = tree.join("usr/share/doc/sekisho");
    for guide in list(&root.join("docs/guide"))? {
        let name = guide.file_name().unwrap_or_default();
        install(&guide, &doc.join(name), 0o644)?;
    }
    write(&doc.join("copyright"), &copyright(root)?, 0o644)?;
    write(&doc.join("third-party-licences.txt"), &third_party(root)?, 0o644)?;
    let sample = output(Command::new(binary).args(["config", "sample"]))?;
    write(&tree.join("etc/sekisho/sekisho.toml"), &settings(&sample), 0o640)?;

    let size = size_of(&tree)? / 1024 + 1;
    let version = env!("CARGO_PKG_VERSION");
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
    let libc = output(Command::new("dpkg-query").args(["--show", "--showformat=${Version}", "libc6"]))?;
    // Built here, so what is here is enough; the revision of the distribution does not matter.
    let libc = libc.split('-').next().unwrap_or_default();
    let control = read(&packaging.join("debian/control"))?
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", &architecture)
        .replace("@SIZE@", &size.to_string())
        .replace("@LIBC@", libc);
    write(&tree.join("DEBIAN/control"), &control, 0o644)?;
    install(&packaging.join("debian/conffiles"), &tree.join("DEBIAN/conffiles"), 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        install(&packaging.join("debian").join(script), &tree.join("DEBIAN").join(script), 0o755)?;
    }
    let package = out.join(format!("sekisho_{version}_{architecture}.deb"));
    output(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&package))?;
    fs::remove_dir_all(&tree).map_err(|e| format!("{}: {e}", tree.display()))?;
    Ok(package)
}

/// The sample settings with the places of the package in force.
fn settings(sample: &str) -> String {
    let mut out = String::new();
    for line in sample.lines() {
        let set = match line {
            l if l.starts_with("#folder = \"/var/lib/sekisho/") => "folder = \"/var/lib/sekisho/city\"",
            l if l.starts_with("#folder = ") => "folder = \"/var/lib/sekisho-backups\"",
            l if l.starts_with("#file = ") => "file = \"/var/lib/sekisho-keys/city.key\"",
            l if l.starts_with("#format = ") => "format = \"json\"",
            l => l,
        };
        out.push_str(set);
        out.push('\n');
    }
    out
}

fn copyright(root: &Path) -> Result<String, String> {
    let mut out = String::from(
        "Sekisho may be used under the Apache License 2.0 or the MIT License, as you choose. Parts of others and their licences are in\nthird-party-licences.txt beside this file.\n",
    );
    for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
        out.push_str(&format!("\n==== {file}\n\n{}", read(&root.join(file))?));
    }
    Ok(out)
}

/// Every foreign crate with its licence, and each distinct licence text with the crates that bring it.
fn third_party(root: &Path) -> Result<String, String> {
    let all = licences::list(root)?;
    let sources = sources()?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in all.lines() {
        let mut cells = line.split('\t');
        let name = format!("{}-{}", cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        for folder in sources.iter().map(|s| s.join(&name)).filter(|f| f.is_dir()) {
            for file in list(&folder)? {
                let title = file.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
                if ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"]
                    .iter()
                    .any(|p| title.starts_with(p))
                {
                    texts.entry(read(&file)?).or_default().push(name.clone());
                }
            }
        }
    }
    let mut out =
        format!("Parts of others that are built into the program: name, version, licence.\n\n{all}");
    let fonts = root.join("crates/sekisho-forms/fonts/LICENSE-IPA.txt");
    out.push_str(&format!("\n==== IPAex fonts\n\n{}", read(&fonts)?));
    for (text, crates) in texts {
        out.push_str(&format!("\n==== {}\n\n{}\n", crates.join(", "), text.trim_end()));
    }
    Ok(out)
}

/// Where cargo keeps the sources of foreign crates.
fn sources() -> Result<Vec<PathBuf>, String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cargo")))
        .ok_or("neither CARGO_HOME nor HOME is set")?;
    list(&home.join("registry/src"))
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut all: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    all.sort();
    Ok(all)
}

fn size_of(folder: &Path) -> Result<u64, String> {
    let mut size = 0;
    for path in list(folder)? {
        size += if path.is_dir() { size_of(&path)? } else { fs::metadata(&path).map_or(0, |m| m.len()) };
    }
    Ok(size)
}

fn read(file: &Path) -> Result<String, String> {
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(file: &Path, text: &str, mode: u32) -> Result<(), String> {
    place(file, mode, |to| fs::write(to, text))
}

fn install(from: &Path, to: &Path, mode: u32) -> Result<(), String> {
    place(to, mode, |to| fs::copy(from, to).map(|_| ())).map_err(|e| format!("{}: {e}", from.display()))
}

fn place(file: &Path, mode: u32, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", file.display());
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fill(file).map_err(failed)?;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).map_err(failed)
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|e| format!("{name}: {e}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&done.stderr).trim()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_package_s_settings_are_the_sample_with_its_places() {
        let sample = "[data]\n# x\n#folder = \"/var/lib/sekisho/city\"\n[key]\n#file = \"k\"\n[backup]\n#folder = \"/var/backups/sekisho\"\n#max_age_hours = 30\n";
        let text = super::settings(sample);
        for line in [
            "folder = \"/var/lib/sekisho/city\"",
            "file = \"/var/lib/sekisho-keys/city.key\"",
            "folder = \"/var/lib/sekisho-backups\"",
            "#max_age_hours = 30",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
