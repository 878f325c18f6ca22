//! The buckets and splits both test runners agree on: `tests/vectors/hashes.json`.

use serde_json::Value as Json;

use super::{Draw, Hasher, shares};
use crate::flags::decision::Implementation;
use crate::flags::document::Hash;

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../../../tests/vectors/hashes.json")).unwrap()
}

fn hash(case: &Json) -> Hash {
    serde_json::from_value(case["hash"].clone()).unwrap()
}

fn parts(case: &Json) -> Vec<(Implementation, u32)> {
    let parts: Vec<(String, u32)> = serde_json::from_value(case["split"].clone()).unwrap();
    parts.into_iter().map(|(name, millionths)| (Implementation::from(&*name), millionths)).collect()
}

#[test]
fn buckets_are_those_of_the_vectors() {
    for case in vectors()["buckets"].as_array().unwrap() {
        let draw = if case["draw"] == "variants" { Draw::Variants } else { Draw::Rollout };
        let hasher = Hasher::new(hash(case), case["salt"].as_str().unwrap(), draw);
        assert_eq!(case["bucket"], hasher.bucket(case["unit"].as_str().unwrap()), "{case}");
    }
}

#[test]
fn splits_serve_what_the_vectors_say() {
    for case in vectors()["splits"].as_array().unwrap() {
        let parts = parts(case);
        let hasher = Hasher::new(hash(case), case["salt"].as_str().unwrap(), super::draw(&parts));
        let laid_out = shares(hash(case), &parts);
        for (unit, serve) in case["serves"].as_object().unwrap() {
            let bucket = hasher.bucket(unit);
            let share = laid_out.iter().find(|(_, end)| bucket < *end);
            assert_eq!(*serve, share.map_or("python", |(serve, _)| serve.name()), "{unit} of {case}");
        }
    }
}
