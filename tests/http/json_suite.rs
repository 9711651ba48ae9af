//! The public JSON parsing test suite (fixtures/json-parsing), file by file, over a real connection.
//! - Never a 5xx, never a dropped connection.
//! - Its `y_` files that are objects are taken; its `n_` files are refused with a message that names the place.

use crate::support::{Setup, request};
use axum::body::Body;
use metronome::http::{Options, serve};
use std::net::SocketAddr;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Valid objects beyond the limits of events: a key is not empty and holds no control characters.
const KEYS_REFUSED: [&str; 2] = ["y_object_empty_key.json", "y_object_escaped_null_in_key.json"];

fn files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/json-parsing/test_parsing");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Posts over a connection of its own; the status and the body of the answer.
async fn post(address: SocketAddr, content_type: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /tick HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    let said = String::from_utf8(said).unwrap();
    let status = said.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, said.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

#[tokio::test]
async fn every_file_is_answered_and_judged_rightly() {
    let app = Setup::default().start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving =
        tokio::spawn(serve(listener, None, app.router.clone(), Options::default(), async { drop(stopped.await) }));
    let files = files();
    assert_eq!(files.len(), 318);
    for (name, body) in &files {
        for content_type in ["application/x-ndjson", "application/x-www-form-urlencoded", "text/plain"] {
            let (status, said) = post(address, content_type, body).await;
            assert!((200..500).contains(&status), "{name} as {content_type}: {status} {said}");
        }
        let (status, said) = post(address, "application/json", body).await;
        match &name[..2] {
            "y_" if is_object(body) && !KEYS_REFUSED.contains(&name.as_str()) => {
                assert_eq!((status, said.contains("\"accepted\":1")), (202, true), "{name}: {said}");
            }
            "y_" if name == "y_structure_whitespace_array.json" || name == "y_array_empty.json" => {
                assert_eq!(status, 202, "{name}: {said}");
            }
            "y_" => assert!(matches!(status, 202 | 400), "{name}: {status} {said}"),
            "n_" => {
                assert_eq!(status, 400, "{name}: {said}");
                let empty = body.trim_ascii().is_empty() || *body == *b"\xef\xbb\xbf";
                let says = if empty { "empty" } else { "line " };
                assert!(said.contains(says), "{name}: {said}");
            }
            "i_" => assert!((200..500).contains(&status), "{name}: {status} {said}"),
            other => panic!("a file of an unknown kind: {other}"),
        }
    }
    // One fresh event still succeeds.
    assert_eq!(post(address, "application/json", b"{}").await.0, 202);
    stop.send(()).unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn valid_arrays_are_taken_element_by_element() {
    let app = Setup::default().start();
    for (name, body) in files().into_iter().filter(|(name, body)| name.starts_with("y_") && !is_object(body)) {
        let Ok(serde_json::Value::Array(elements)) = serde_json::from_slice(&body) else { continue };
        let objects = elements.iter().filter(|element| element.is_object()).count();
        let said = app.send(request("POST", "/tick").body(Body::from(body)).unwrap()).await;
        let expected = if objects > 0 || elements.is_empty() { 202 } else { 400 };
        assert_eq!(said.status, expected, "{name}: {}", said.text());
        if said.status == 202 {
            assert_eq!(said.json()["accepted"], objects, "{name}");
        }
    }
}
