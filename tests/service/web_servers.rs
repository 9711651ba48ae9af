//! Logs that a real nginx and a real Apache write in this run, imported and asked for.

use crate::support::{Server, run};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
const NGINX_JSON: &str = r#"log_format json escape=json '{"time":"$time_iso8601","remote_addr":"$remote_addr","request":"$request","status":$status,"body_bytes_sent":$body_bytes_sent,"request_time":$request_time,"http_referer":"$http_referer","http_user_agent":"$http_user_agent"}';"#;

#[test]
fn a_log_of_a_real_nginx_is_imported_in_both_its_forms() {
    let Some(nginx) = installed("nginx") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    site(root);
    let port = free_port();
    let conf = format!(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\nhttp {{ {NGINX_JSON}\n\
         client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;\n\
         access_log {0}/access.log combined; access_log {0}/access.json json;\n\
         server {{ listen 127.0.0.1:{port}; root {0}/www; }} }}",
        root.display()
    );
    std::fs::write(root.join("nginx.conf"), conf).expect("write");
    let mut command = Command::new(nginx);
    command.arg("-c").arg(root.join("nginx.conf")).arg("-p").arg(root).arg("-e").arg(root.join("error.log"));
    visit(command, port);
    imported(&root.join("access.log"));
    imported(&root.join("access.json"));
}

#[test]
fn a_log_of_a_real_apache_is_imported() {
    let Some(apache) = installed("apache2") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    site(root);
    let port = free_port();
    let modules = "/usr/lib/apache2/modules";
    let conf = format!(
        "ServerRoot {0}\nPidFile {0}/pid\nServerName localhost\nListen 127.0.0.1:{port}\nErrorLog {0}/error.log\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\nLoadModule authz_core_module {modules}/mod_authz_core.so\n\
         LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\"\" combined\n\
         CustomLog {0}/access.log combined\nDocumentRoot {0}/www\nMutex file:{0}\n",
        root.display()
    );
    std::fs::write(root.join("apache.conf"), conf).expect("write");
    let mut command = Command::new(apache);
    command.arg("-f").arg(root.join("apache.conf")).arg("-DFOREGROUND");
    visit(command, port);
    imported(&root.join("access.log"));
}

/// A page, a file to download, and what is not there.
fn site(root: &Path) {
    std::fs::create_dir_all(root.join("www/data")).expect("folder");
    std::fs::write(root.join("www/page"), "hello").expect("write");
    std::fs::write(root.join("www/data/trees.csv"), "a,b\n").expect("write");
    // A server that runs as root drops to another user.
    let open = Command::new("chmod").arg("-R").arg("a+rwX").arg(root).status();
    assert!(open.expect("chmod").success());
}

/// Starts the server, asks for everything as a browser does, stops it.
fn visit(mut command: Command, port: u16) {
    let server = Stopped(command.stdout(Stdio::null()).spawn().expect("a web server"));
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "the web server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for path in ["/page", "/page?utm_source=mail", "/data/trees.csv", "/missing", "/%C3%BCber%22quote"] {
        let asked = agent.get(format!("http://127.0.0.1:{port}{path}"));
        asked.header("user-agent", FIREFOX).header("referer", "https://arcgis.com/home?x=1").call().expect("an answer");
    }
    drop(server);
}

fn imported(log: &Path) {
    let data = tempfile::tempdir().expect("folder");
    let output = run(data.path(), &["import", &log.display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("accepted    5 (0 by bots)\nduplicates  0\nrejected    0\n"), "{}: {text}", log.display());
    let server = Server::start(data.path(), &[]);
    let page = server.json("/tock/%2Fpage.json");
    assert_eq!(page["views"].as_object().expect("views").values().next(), Some(&2.into()), "{page}");
    assert_eq!(page["referers"]["arcgis.com/home"], 2);
    let csv = server.json("/tock/%2Fdata%2Ftrees.csv.json");
    assert_eq!(csv["downloads"]["csv"], 1);
    let errors = server.events("").into_iter().filter(|event| event["action"] == "error").count();
    assert_eq!(errors, 2, "the two that are not there");
}

/// The program, or `None` with a word why the test is skipped; where all must run its absence fails.
fn installed(program: &str) -> Option<PathBuf> {
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(program));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "{program} is not installed: run scripts/install");
        println!("skipped: {program} is not installed; scripts/test installs it");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port()
}

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
