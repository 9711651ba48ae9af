//! A proxy between a sender and a server that may come and go: it cuts connections after so many bytes of either side, and
//! lets nothing through while it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// After how many bytes of the sender's, and of the server's, a connection is cut; none of either: not at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cut {
    pub sent: Option<usize>,
    pub answered: Option<usize>,
}

#[derive(Default)]
struct State {
    /// Where the server is; `None` while there is none.
    server: Option<SocketAddr>,
    /// What becomes of the next connections, the last of them first.
    cuts: Vec<Cut>,
    /// Whether bytes wait.
    stalled: bool,
    /// Bytes that the server answered.
    answered: usize,
}

/// A proxy; its threads end with the process.
#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// One on a free port, in front of this server.
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let state = Arc::new(Mutex::new(State { server: Some(server), ..State::default() }));
        let proxy = Self { address: listener.local_addr().expect("an address"), state };
        let accepting = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                accepting.connect(stream);
            }
        });
        proxy
    }

    /// Where the server is from now on.
    pub fn point_at(&self, server: Option<SocketAddr>) {
        self.state().server = server;
    }

    /// Cuts the next connections so, one after another.
    pub fn cut(&self, mut cuts: Vec<Cut>) {
        cuts.reverse();
        self.state().cuts = cuts;
    }

    /// Whether every planned cut has found its connection.
    pub fn has_cut_all(&self) -> bool {
        self.state().cuts.is_empty()
    }

    /// Lets bytes wait, or go on.
    pub fn stall(&self, stalled: bool) {
        self.state().stalled = stalled;
    }

    /// Bytes that were answered through it.
    pub fn answered(&self) -> usize {
        self.state().answered
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panics")
    }

    fn connect(&self, sender: TcpStream) {
        let (server, cut) = {
            let mut state = self.state();
            (state.server, state.cuts.pop().unwrap_or_default())
        };
        // A sender that finds none is closed at once, as if nobody listened.
        let Some(Ok(server)) = server.map(TcpStream::connect) else { return };
        let ends = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        let (up, down) = ((ends(&sender), ends(&server)), (server, sender));
        let (of_sender, of_server) = (self.clone(), self.clone());
        std::thread::spawn(move || of_sender.carry(up, cut.sent, false));
        std::thread::spawn(move || of_server.carry(down, cut.answered, true));
    }

    /// Carries bytes until the end, or so many; then neither side goes on.
    fn carry(&self, (mut from, mut to): (TcpStream, TcpStream), mut left: Option<usize>, is_answer: bool) {
        let mut buffer = [0; 4096];
        while left != Some(0) {
            let Ok(read @ 1..) = from.read(&mut buffer) else { break };
            while self.state().stalled {
                std::thread::sleep(Duration::from_millis(5));
            }
            let length = left.map_or(read, |left| left.min(read));
            left = left.map(|left| left - length);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
            if is_answer {
                self.state().answered += length;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
