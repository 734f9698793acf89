//! Writes the seeds into the corpora: `cargo run --example seeds`.
#![forbid(unsafe_code)]

use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, seeds) in routing_fuzz::seeds::seeds() {
        let folder = corpora.join(target);
        std::fs::create_dir_all(&folder)?;
        for (n, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{n:03}")), seed)?;
        }
        println!("{target}: {} seeds", seeds.len());
    }
    Ok(())
}
