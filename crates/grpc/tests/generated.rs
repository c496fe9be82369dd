//! The generated code is that of the protos.

use std::{fs, path::Path};

use prost::Message;

const PROTOS: [&str; 2] = ["processing.proto", "tributary/v1/tributary.proto"];

#[test]
fn the_code_is_what_the_protos_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = tempfile::tempdir().unwrap();
    let files = protox::compile(PROTOS, [root.join("protos")]).unwrap();
    fs::write(made.path().join("descriptors.bin"), files.encode_to_vec()).unwrap();
    tonic_prost_build::configure()
        // What comes in is not copied.
        .bytes(".processor.CsvChunk.data")
        .bytes(".tributary.v1.UploadRequest.data")
        .bytes(".tributary.v1.AggregateRequest.data")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .build_transport(true)
        .out_dir(made.path())
        .compile_fds(files)
        .unwrap();
    for file in ["processor.rs", "tributary.v1.rs", "descriptors.bin"] {
        let (made, kept) = (made.path().join(file), root.join("src/generated").join(file));
        if std::env::var_os("TRIBUTARY_GENERATE").is_some() {
            fs::copy(&made, &kept).unwrap();
        }
        let is_same = fs::read(&made).unwrap() == fs::read(&kept).unwrap_or_default();
        assert!(is_same, "{} is not what the protos say: run TRIBUTARY_GENERATE=1 cargo test", kept.display());
    }
}
