//! Clients generated from the OpenAPI document in three languages place an order, and two linters
//! accept the document. Run by `make torture`, which needs java, npm and python3.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::instance::{Instance, binary};

/// Where the tools of `tests/clients` are installed, once, with what they make.
struct Workshop {
    directory: PathBuf,
    _alone: File,
}

impl Workshop {
    /// Installs what is not installed yet.
    fn open(document: &str) -> Self {
        let directory = binary().ancestors().nth(2).unwrap().join("clients");
        fs::create_dir_all(&directory).unwrap();
        let alone = File::create(directory.join("lock")).unwrap();
        alone.lock().unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let wanted = ["package.json", "requirements.txt"]
            .map(|name| fs::read_to_string(sources.join(name)).unwrap())
            .concat();
        let installed = directory.join("installed");
        for source in fs::read_dir(&sources).unwrap() {
            let source = source.unwrap();
            fs::copy(source.path(), directory.join(source.file_name())).unwrap();
        }
        let workshop = Self { directory, _alone: alone };
        if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
            fs::write(workshop.directory.join("openapi.json"), document).unwrap();
            return workshop;
        }
        let steps: [&[&str]; 4] = [
            &["java", "-version"],
            &["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
            &["python3", "-m", "venv", "venv"],
            &["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"],
        ];
        for step in steps {
            workshop.must(step, &[]);
        }
        fs::write(&installed, wanted).unwrap();
        fs::write(workshop.directory.join("openapi.json"), document).unwrap();
        workshop
    }

    /// Runs a command there; what it printed, or why it failed.
    fn run(&self, line: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
        let own = self.directory.join(line[0]);
        // The generator formats with a tool beside it.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::iter::once(self.directory.join("venv/bin")).chain(std::env::split_paths(&path));
        let program = if line[0].contains('/') { own } else { line[0].into() };
        let output = Command::new(program)
            .args(&line[1..])
            .current_dir(&self.directory)
            .envs(environment.iter().copied())
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
            .env("NO_COLOR", "1")
            .env("PATH", std::env::join_paths(path).unwrap())
            .output()
            .map_err(|error| format!("{line:?}: {error}"))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        if output.status.success() { Ok(text) } else { Err(format!("{line:?}: {text}")) }
    }

    fn must(&self, line: &[&str], environment: &[(&str, &str)]) -> String {
        self.run(line, environment).unwrap_or_else(|error| panic!("{error}"))
    }
}

#[tokio::test]
#[ignore = "installs tools and compiles clients for minutes: `make torture`"]
async fn linters_find_nothing_and_generated_clients_place_an_order() {
    let instance = Instance::start().await;
    let document = instance.text("/openapi.json").await;
    let workshop = Workshop::open(&document);

    let redocly = workshop.must(&["node_modules/.bin/redocly", "lint", "openapi.json"], &[]);
    assert!(redocly.contains("is valid") && !redocly.contains("You have"), "{redocly}");
    let spectral = ["node_modules/.bin/spectral", "lint", "--fail-severity=hint", "openapi.json"];
    workshop.must(&spectral, &[]);

    let types = ["node_modules/.bin/openapi-typescript", "openapi.json", "--output"];
    workshop.must(&[&types[..], &["generated/kontor.d.ts"]].concat(), &[]);
    let fetch = "venv/bin/openapi-generator-cli generate --input-spec openapi.json \
                 --generator-name typescript-fetch --output generated/typescript-fetch";
    workshop.must(&fetch.split_whitespace().collect::<Vec<_>>(), &[]);
    workshop.must(&["node_modules/.bin/tsc", "--project", "."], &[]);
    let python = "venv/bin/openapi-python-client generate --path openapi.json --meta none \
                  --config python.yaml --output-path generated/kontor_client --overwrite --fail-on-warning";
    workshop.must(&python.split_whitespace().collect::<Vec<_>>(), &[]);
    workshop.must(&["venv/bin/python", "-m", "compileall", "-q", "generated/kontor_client"], &[]);

    let company = json!({
        "name": "Piekarnia Pod Dębem",
        "tax_id": { "kind": "nip", "number": "5260250274" },
        "payment_term": { "kind": "net", "days": 14 },
    });
    let company = instance.post("admin", "/v1/companies", &company).await.body["id"].clone();
    let product = json!({
        "sku": "BL-22", "name": "Notebook", "unit": "piece", "vat_rate": "23",
        "prices": [{ "currency": "PLN", "price": "4.50" }],
    });
    let product = instance.post("admin", "/v1/products", &product).await.body["id"].clone();
    let publish = format!("/v1/products/{}/publish", product.as_str().unwrap());
    assert_eq!(instance.post("admin", &publish, &json!({})).await.status, 200);
    instance.settled().await;

    let url = instance.address().url();
    let environment = [
        ("KONTOR_URL", url.as_str()),
        ("KONTOR_KEY", instance.key("admin")),
        ("KONTOR_COMPANY", company.as_str().unwrap()),
        ("KONTOR_SKU", "BL-22"),
        ("PYTHONPATH", "generated"),
    ];
    for client in [
        ["node", "built/fetch.js"],
        ["node", "built/typescript_fetch.js"],
        ["venv/bin/python", "order.py"],
    ] {
        let said = workshop.must(&client, &environment);
        assert!(said.contains("placed"), "{client:?}: {said}");
    }
    let orders = instance.all("admin", "/v1/orders").await;
    assert_eq!(orders.len(), 3, "{orders:?}");
}
