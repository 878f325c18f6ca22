//! Tells the sources which CPython they are compiled for, as PyO3's own sources are told.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
