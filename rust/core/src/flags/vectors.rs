//! The decisions both test runners agree on: `tests/vectors/flags.json`.

use serde_json::{Value as Json, json};

use super::bucket::Salt;
use super::json_call::JsonCall;
use super::{Decision, Document, Process, Snapshot};

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../../tests/vectors/flags.json")).unwrap()
}

/// Compiles a rule file, which JSON is, too.
fn from_file(document: &Json, process: &Json) -> Snapshot {
    let rules = crate::rules::from_text(document.to_string().as_bytes()).unwrap();
    Snapshot::compile(&rules.document, &serde_json::from_value(process.clone()).unwrap()).unwrap()
}

fn decide(snapshot: &Snapshot, flag: &str, call: &JsonCall<'_>) -> Decision {
    snapshot.decide(snapshot.position(flag), call)
}

fn shown(snapshot: &Snapshot, flag: &str, decision: &Decision) -> Json {
    let rules = snapshot.position(flag).map(|position| &snapshot.flags[position].rules);
    json!({
        "stage": decision.stage.name(),
        "serve": decision.serve.name(),
        "shadow": decision.shadow,
        "reason": decision.reason.name(),
        "detail": decision.detail.name(),
        "rule": rules.zip(decision.rule).map(|(rules, rule)| &*rules[rule].name),
        "bucket": decision.bucket,
        "threshold": decision.threshold,
    })
}

#[test]
fn buckets_are_those_of_the_vectors() {
    for vector in vectors()["buckets"].as_array().unwrap() {
        let salt = Salt::new(vector["salt"].as_str().unwrap());
        assert_eq!(vector["bucket"], salt.bucket(vector["unit"].as_str().unwrap()), "{vector}");
    }
}

#[test]
fn decisions_are_those_of_the_vectors() {
    let vectors = vectors();
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["document"].as_str().unwrap();
        let mut process = vectors["processes"][name].clone();
        for (switch, value) in case["with"].as_object().into_iter().flatten() {
            process[switch] = value.clone();
        }
        let (document, flag) = (&vectors["documents"][name], case["flag"].as_str().unwrap());
        let snapshot = from_file(document, &process);
        let standings =
            snapshot.flags.iter().map(|flag| case["standings"][&*flag.name].as_u64().unwrap_or(0)).collect();
        let call = JsonCall {
            unit: case["unit"].as_str(),
            attributes: &case["attributes"],
            now: case["now"].as_i64().unwrap_or(0),
            standings,
        };
        assert_eq!(case["decision"], shown(&snapshot, flag, &decide(&snapshot, flag, &call)), "{}", case["says"]);
        assert_eq!(
            case["decision"]["serve"],
            snapshot.serve(snapshot.position(flag), &call).name(),
            "{}",
            case["says"]
        );
    }
}

#[test]
fn explanations_carry_the_decision_and_why_each_rule_did_not_match() {
    let vectors = vectors();
    let snapshot = from_file(&vectors["documents"]["main"], &json!({}));
    let attributes = json!({"team": "a", "model": "gpt-3.5"});
    let call = JsonCall::of("user-1", &attributes);
    let explanation = serde_json::to_value(snapshot.explain("ruled", &call)).unwrap();
    assert_eq!(shown(&snapshot, "ruled", &decide(&snapshot, "ruled", &call)), explanation["decision"]);
    let reasons: Vec<_> = explanation["rules"].as_array().unwrap().iter().map(|rule| &rule["because"]).collect();
    assert_eq!(
        vec!["user ends with \"@example.com\"", "any of [segment beta, org.tier equals \"pro\"]", "age > 90"],
        reasons
    );
}

#[test]
fn unusable_documents_are_refused() {
    let flag = |when: Json| json!({"rules": [{"name": "r", "when": when, "then": {"serve": "rust"}}]});
    let document = |segments: Json, when: Json| {
        json!({"revision": "r", "unit": "u", "segments": segments, "flags": {"f": flag(when)}}).to_string()
    };
    let flags = |flags: Json| json!({"revision": "r", "unit": "u", "flags": flags}).to_string();
    for text in [
        document(json!({}), json!({"segment": "nowhere"})),
        document(json!({"a": {"segment": "b"}, "b": {"segment": "a"}}), json!({"segment": "a"})),
        document(json!({}), json!({"attr": ["x", {"matches": "("}]})),
        document(json!({}), json!({"attr": ["x", {"matches": "(a{1000}){1000}"}]})),
        document(json!({}), json!({"attr": ["x", {"semver": "one"}]})),
        document(json!({}), json!({"attr": ["x", {"cidr": ["10.0.0.0/33"]}]})),
        flags(json!({"a": {"requires": [{"flag": "b", "serves": "rust"}]}})),
        flags(json!({"a": {"requires": [{"flag": "a", "serves": "rust"}]}})),
        flags(json!({"a": {"layer": "nowhere"}})),
    ] {
        let document: Document = serde_json::from_str(&text).unwrap();
        assert!(Snapshot::compile(&document, &Process::default()).is_err(), "{text}");
    }
}

#[test]
fn documents_with_unknown_keys_are_refused() {
    assert!(
        serde_json::from_str::<Document>(r#"{"revision": "r", "unit": "u", "flags": {"f": {"sale": "x"}}}"#).is_err()
    );
}
