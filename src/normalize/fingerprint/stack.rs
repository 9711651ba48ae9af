//! Frames of a stack: file and function of the application's own calls, as they stay from one release to the next.
//! - Shapes: V8, Firefox and Safari, Python, Java and Kotlin, .NET, Ruby, PHP, Go, Rust; each line by itself, the first that fits.
//! - The top is where it happened: the first line, in Python the last.
//! - In-app is what no runtime, library folder, package cache or browser extension brings; with none of it all frames speak.
//! - No lines, columns, hosts, queries, build hashes, generated numbers; of a path its last [`SEGMENTS_MAX`] segments.

use regex::Regex;
use std::sync::LazyLock;

/// How many frames speak: deeper ones are how one got there.
const FRAMES_MAX: usize = 5;
/// How much of a path stays: above it is where somebody installed the application.
const SEGMENTS_MAX: usize = 3;
/// How many lines are looked at.
const LINES_MAX: usize = 200;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) file: String,
    pub(super) function: String,
}

/// The top in-app frames, the place of the error first; empty where no line is a frame.
pub(super) fn top_frames(stack: &str) -> Vec<Frame> {
    let Some(shapes) = SHAPES.as_ref() else {
        return Vec::new();
    };
    let mut found = calls(shapes, stack);
    if found.iter().any(|call| call.language == Language::Python) {
        found.reverse();
    }
    let any_in_app = found.iter().any(Call::is_in_app);
    let mut frames: Vec<Frame> = found.iter().filter(|call| call.is_in_app() || !any_in_app).map(Call::frame).collect();
    // However deep a recursion went, it is one.
    frames.dedup();
    frames.truncate(FRAMES_MAX);
    frames
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Java,
    DotNet,
    JavaScript,
    Ruby,
    Php,
    /// Go and Rust: the function stands on the line before the file.
    TwoLines,
}

/// The shapes of a line, in the order they are tried.
const LINES: &[(Language, &str)] = &[
    (Language::Python, r#"^\s*File "(?P<file>[^"]+)", line \d+(?:, in (?P<function>.+))?"#),
    (Language::TwoLines, r"^\s+(?:at )?(?P<file>\S+\.(?:go|rs|s)):\d+(?::\d+)?(?: \+0x[0-9a-f]+)?$"),
    (
        Language::Java,
        r"^\s*at (?:[\w.@-]*/)*(?P<function>[\w.$<>-]+)\((?P<file>[\w$-]+\.(?:java|kt|kts|scala|groovy|clj)|Native Method|Unknown Source)(?::\d+)?\)",
    ),
    (Language::DotNet, r"^\s*at (?P<function>[\w.<>`\[\],+|$]+)\([^()]*\)(?: in (?P<file>.+):line \d+)?\s*$"),
    (
        Language::JavaScript,
        r"^\s*at (?:async )?(?:(?P<function>[^()]+?) (?:\[as [^\]]+\] )?)?\(?(?P<file>[^()\s]+?|<anonymous>)(?::\d+)+\)?\s*$",
    ),
    (
        Language::JavaScript,
        r"^\s*at (?P<function>[^()]+?) (?:\[as [^\]]+\] )?\((?P<file><anonymous>|native|index \d+)\)\s*$",
    ),
    (Language::JavaScript, r"^(?P<function>[^@]*)@(?P<file>(?:[a-z-]+:|/)\S*?|\[native code\])(?::\d+)*\s*$"),
    (Language::Php, r"^#\d+ (?:(?P<file>.+?)\(\d+\)|\[internal function\]): (?P<function>[\w\\:>{}-]+)"),
    (Language::Ruby, r"^\s*(?:from |\d+: from )?(?P<file>[^\s:]+):\d+:in [`'](?P<function>[^']+)'"),
];

static SHAPES: LazyLock<Option<Vec<(Language, Regex)>>> = LazyLock::new(|| {
    LINES.iter().map(|(language, line)| Regex::new(line).ok().map(|line| (*language, line))).collect()
});

struct Call<'a> {
    language: Language,
    file: &'a str,
    function: &'a str,
}

fn calls<'a>(shapes: &[(Language, Regex)], stack: &'a str) -> Vec<Call<'a>> {
    let mut before = "";
    let mut found = Vec::new();
    for line in stack.lines().take(LINES_MAX) {
        let fits = shapes.iter().find_map(|(language, shape)| shape.captures(line).map(|parts| (*language, parts)));
        if let Some((language, parts)) = fits {
            let part = |name| parts.name(name).map_or("", |part| part.as_str());
            let function = if language == Language::TwoLines { before } else { part("function") };
            found.push(Call { language, file: part("file"), function });
        }
        before = line;
    }
    found
}

/// In the path of what an application did not write.
const FOREIGN_FILES: &[&str] = &[
    "node_modules/",
    "node:",
    "internal/",
    "-extension:",
    "extension://",
    "webpack/bootstrap",
    "webpack/runtime",
    "<anonymous>",
    "[native code]",
    "native",
    "site-packages/",
    "dist-packages/",
    "/lib/python",
    "<frozen",
    "<string>",
    "/gems/",
    "/lib/ruby/",
    "<internal:",
    "vendor/",
    "/go/pkg/mod/",
    "/usr/local/go/src/",
    "/usr/lib/go",
    "/rustc/",
    ".cargo/registry/",
    "/_next/static/chunks/framework",
];
/// At the start of a function that an application did not write.
const FOREIGN_FUNCTIONS: &[(Language, &[&str])] = &[
    (
        Language::Java,
        &[
            "java.",
            "javax.",
            "jakarta.",
            "jdk.",
            "sun.",
            "com.sun.",
            "kotlin.",
            "kotlinx.",
            "scala.",
            "groovy.",
            "org.codehaus.groovy.",
            "clojure.",
            "android.",
            "androidx.",
            "com.android.",
            "dalvik.",
            "org.springframework.",
            "org.apache.",
            "org.hibernate.",
            "org.eclipse.",
            "org.jboss.",
            "io.netty.",
            "io.undertow.",
            "reactor.",
            "io.vertx.",
            "com.google.common.",
            "com.fasterxml.",
        ],
    ),
    (Language::DotNet, &["System.", "Microsoft."]),
    (Language::TwoLines, &["runtime.", "runtime/", "net/http.", "core::", "std::", "alloc::", "panic("]),
];

impl Call<'_> {
    fn is_in_app(&self) -> bool {
        let file = self.file.replace('\\', "/");
        let starts = FOREIGN_FUNCTIONS.iter().filter(|(language, _)| *language == self.language);
        let function = self.plain_function();
        let foreign = starts.flat_map(|(_, starts)| starts.iter()).any(|start| function.starts_with(start));
        let without_file = file.is_empty() && self.language != Language::DotNet;
        !foreign && !without_file && !FOREIGN_FILES.iter().any(|part| file.contains(part))
    }

    fn frame(&self) -> Frame {
        Frame { file: normal_file(self.file), function: normal_function(self.language, self.plain_function()) }
    }

    /// The function without what its language's stack writes around it.
    fn plain_function(&self) -> &str {
        let function = self.function.trim();
        match self.language {
            // `3: app::run`, `main.run(0xc000012345, 0x1)`, `created by main.main in goroutine 1`
            Language::TwoLines => {
                let function = function.strip_prefix("created by ").unwrap_or(function);
                let function = function.split(" in goroutine ").next().unwrap_or_default();
                let function = function.split_once(": ").map_or(function, |(_, name)| name);
                match function.rfind('(') {
                    Some(open) if function.ends_with(')') && open > 0 => &function[..open],
                    _ => function,
                }
            }
            Language::JavaScript => {
                let function = function.strip_prefix("new ").unwrap_or(function);
                // `Object.render` in one browser, `render` or `render/<` in another.
                let function = function.split('/').next().unwrap_or_default();
                let function = function.rsplit('.').next().unwrap_or_default();
                if function.starts_with('<') || function == "anonymous" { "" } else { function }
            }
            _ => function,
        }
    }
}

static GENERATED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\$\$(?:Lambda|Enhancer|FastClass)\S*|\$+\d+|\bfunc\d+(?:\.\d+)*|__\d+(?:_\d+)*|::h[0-9a-f]{16}$|\{\{closure\}\}").ok()
});

/// Without the numbers that compilers give to closures and proxies.
fn normal_function(language: Language, function: &str) -> String {
    match GENERATED.as_ref() {
        Some(generated) if language != Language::JavaScript => generated.replace_all(function, "").into_owned(),
        _ => function.to_owned(),
    }
}

fn normal_file(file: &str) -> String {
    let file = file.replace('\\', "/");
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let path = match file.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => file,
    };
    let segments: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != "." && !is_hash(part)).collect();
    let kept = &segments[segments.len().saturating_sub(SEGMENTS_MAX)..];
    let mut kept: Vec<String> = kept.iter().map(|part| (*part).to_owned()).collect();
    if let Some(name) = kept.last_mut() {
        *name = without_hash(name);
    }
    kept.join("/")
}

/// A release's or build's own folder: a hash, a date, a version.
fn is_hash(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_hex = bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    (bytes.len() >= 7 && is_hex && digits > 0) || (digits >= 6 && digits == bytes.len())
}

/// `main.3f2a1b9c.chunk.js` and `main-BxK3_a9Q.js` are `main.chunk.js` and `main.js`.
fn without_hash(name: &str) -> String {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return name.to_owned();
    };
    let stem = match (extension, stem.len().checked_sub(9)) {
        // Bundlers put eight letters of base64 before the extension; they may hold a dash themselves.
        ("js" | "mjs" | "cjs" | "css", Some(at)) if stem.is_char_boundary(at) && is_bundle_hash(&stem[at..]) => {
            &stem[..at]
        }
        _ => stem,
    };
    let mut kept = String::with_capacity(name.len());
    for part in stem.split_inclusive(['.', '-', '_']) {
        if !is_hash(part.trim_end_matches(['.', '-', '_'])) {
            kept.push_str(part);
        }
    }
    format!("{}.{extension}", kept.trim_end_matches(['.', '-', '_']))
}

fn is_bundle_hash(tail: &str) -> bool {
    let Some(hash) = tail.strip_prefix(['-', '.']) else {
        return false;
    };
    let is_base64 = hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let has = |test: fn(&u8) -> bool| hash.as_bytes().iter().skip(1).any(test);
    is_base64 && (has(u8::is_ascii_digit) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)))
}

#[cfg(test)]
#[path = "stack_tests.rs"]
mod tests;
