//! The vocabularies that come with the installed LiteLLM, for tests.

use std::process::Command;
use std::sync::LazyLock;

use super::Encoding;

/// Prints the folder of LiteLLM's vocabularies without importing LiteLLM.
const FOLDER: &str = "import importlib.util as u, os; \
    print(os.path.join(u.find_spec('litellm').submodule_search_locations[0], 'litellm_core_utils', 'tokenizers'))";

/// The encoding of that name. The Python that has LiteLLM is the one `PyO3` builds for, else the first on the path.
pub(crate) fn encoding(name: &str) -> &'static Encoding {
    static CL100K: LazyLock<Encoding> =
        LazyLock::new(|| load("cl100k_base", "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"));
    static O200K: LazyLock<Encoding> = LazyLock::new(|| load("o200k_base", "fb374d419588a4632f3f557e76b4b70aebbca790"));
    if name == "cl100k_base" { &CL100K } else { &O200K }
}

/// LiteLLM names a file by the SHA-1 of the address tiktoken would fetch it from.
fn load(name: &str, file: &str) -> Encoding {
    let python = std::env::var("PYO3_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(&python).args(["-c", FOLDER]).output().unwrap();
    assert!(output.status.success(), "{python} cannot find litellm; set PYO3_PYTHON to an interpreter that has it");
    let folder = String::from_utf8(output.stdout).unwrap();
    let data = std::fs::read(std::path::Path::new(folder.trim_end()).join(file)).unwrap();
    Encoding::from_tiktoken(name, &data).unwrap()
}
