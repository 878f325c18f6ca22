//! The vocabularies that come with the installed LiteLLM, for tests.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::Encoding;

/// Prints the folder of LiteLLM's vocabularies without importing LiteLLM.
const FOLDER: &str = "import importlib.util as u, os; \
    print(os.path.join(u.find_spec('litellm').submodule_search_locations[0], 'litellm_core_utils', 'tokenizers'))";

/// The encoding of that name.
pub(crate) fn encoding(name: &str) -> &'static Encoding {
    static CL100K: LazyLock<Encoding> =
        LazyLock::new(|| load("cl100k_base", "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"));
    static O200K: LazyLock<Encoding> = LazyLock::new(|| load("o200k_base", "fb374d419588a4632f3f557e76b4b70aebbca790"));
    static P50K: LazyLock<Encoding> = LazyLock::new(|| load("p50k_base", "ec7223a39ce59f226a68acc30dc1af2788490e15"));
    static ANTHROPIC: LazyLock<Encoding> = LazyLock::new(|| {
        Encoding::from_tokenizer("anthropic", &std::fs::read(vocabularies().join("anthropic_tokenizer.json")).unwrap())
            .unwrap()
    });
    match name {
        "cl100k_base" => &CL100K,
        "p50k_base" => &P50K,
        "anthropic" => &ANTHROPIC,
        _ => &O200K,
    }
}

/// LiteLLM names a file by the SHA-1 of the address tiktoken would fetch it from.
fn load(name: &str, file: &str) -> Encoding {
    let data = std::fs::read(vocabularies().join(file)).unwrap();
    Encoding::from_tiktoken(name, &data).unwrap()
}

/// Asks the Python that `PyO3` is told to build for, that of the workspace's own environment, and the first on the path.
fn vocabularies() -> PathBuf {
    let pythons = [
        std::env::var("PYO3_PYTHON").unwrap_or_default(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv/bin/python").to_owned(),
        "python3".to_owned(),
    ];
    let folder = pythons.iter().find_map(|python| {
        let output = Command::new(python).args(["-c", FOLDER]).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    });
    folder.expect("a Python with litellm installed; name one in PYO3_PYTHON").trim_end().into()
}
