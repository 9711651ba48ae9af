//! OpenSearch: one node, one shard, no replica, 1 GiB of heap; `_bulk` in, one `_search` with aggregations out.
//! - Texts are keywords: nothing is asked of words. It syncs its log at the end of each bulk request, as is its default.
//! - Its cache of whole answers is left out, or the second of two equal questions would be no question.

use super::{Days, Peer};
use crate::figures::Who;
use crate::process::folder_bytes;
use crate::server::{Server, tools};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

/// In front of each event in a bulk body. Without ids of ours, which is faster; an event sent twice is there twice.
pub const BEFORE_EACH: &str = "{\"create\":{}}\n";

pub struct OpenSearch {
    server: Server,
    folder: PathBuf,
}

impl OpenSearch {
    /// `None` where it is not installed.
    pub fn start(folder: &Path) -> Option<Self> {
        let classpath = std::fs::read_to_string(tools().join("opensearch/classpath")).ok()?;
        // The node answers on the port after the one it is told, and its own talk begins at 9300.
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let port = (9201..9300).find(is_free).expect("a free port");
        let mut command = Command::new("java");
        command.args(["-Xmx1g", "-cp", classpath.trim(), "org.codelibs.opensearch.runner.OpenSearchRunner"]);
        command.arg("-basePath").arg(folder).args(["-numOfNode", "1", "-clusterName", "race"]);
        command.arg("-baseHttpPort").arg((port - 1).to_string());
        let server = Server::at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &mut command);
        server.put("/events", &index().to_string());
        Some(Self { server, folder: folder.to_owned() })
    }

    pub fn version(&self) -> String {
        let about: Value = serde_json::from_str(&self.server.get("/")).expect("JSON");
        about["version"]["number"].as_str().unwrap_or_default().to_owned()
    }
}

impl Peer for OpenSearch {
    const WHO: Who = Who::OpenSearch;
    const INSERT: &'static str = "/events/_bulk?filter_path=errors";

    fn server(&self) -> &Server {
        &self.server
    }

    fn readable(&self) -> u64 {
        let answer: Value = serde_json::from_str(&self.server.get("/events/_count")).expect("JSON");
        answer["count"].as_u64().unwrap_or_default()
    }

    fn ask(&self, item: &str, days: &Days) {
        let answer = self.server.post("/events/_search?request_cache=false", &question(item, days).to_string());
        assert!(answer.contains("\"aggregations\""), "{answer}");
    }

    fn bytes(&mut self) -> u64 {
        self.server.post("/events/_forcemerge?max_num_segments=1", "");
        self.server.post("/events/_flush?force=true", "");
        self.server.process.stop();
        folder_bytes(&self.folder.join("node_1/data"))
    }
}

fn index() -> Value {
    let text = json!({"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}});
    json!({
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
        "mappings": {"properties": {"@timestamp": {"type": "date"}}, "dynamic_templates": [text]},
    })
}

fn question(item: &str, (from, to): &Days) -> Value {
    let by = |filter: Value, by: Value| json!({"filter": filter, "aggs": {"by": by}});
    let action = |action: &str| json!({"term": {"action": action}});
    let days = json!({"date_histogram": {"field": "@timestamp", "calendar_interval": "day"}});
    json!({
        "size": 0,
        "query": {"bool": {"filter": [
            {"term": {"id": item}},
            {"range": {"@timestamp": {"gte": from, "lte": format!("{to}||/d"), "format": "yyyy-MM-dd"}}},
        ]}},
        "aggs": {
            "views": by(action("view"), days),
            "downloads": by(action("download"), json!({"terms": {"field": "format"}})),
            "referers": by(json!({"exists": {"field": "referer"}}), json!({"terms": {"field": "referer", "size": 1000}})),
        },
    })
}
