//! Frames by tables: one stack of each runtime, in-app or not, and what is stripped.

use super::*;

fn frames(stack: &str) -> Vec<String> {
    top_frames(stack).into_iter().map(|frame| format!("{} {}", frame.file, frame.function)).collect()
}

#[test]
fn every_shape_of_stack_is_read() {
    for (what, stack, expected) in [
        (
            "V8",
            "TypeError: x is not a function\n    at render (https://example.com/assets/main.3f2a1b9c.js:1:2345)\n    \
             at Object.load (https://example.com/assets/page-BxK3_a9Q.js?v=3:10:5)\n    at async https://example.com/app.js:3:1\n    \
             at new Widget (https://example.com/app.js:9:1)\n    at Array.map (<anonymous>)\n    \
             at Foo.bar [as baz] (webpack:///./src/foo.ts:5:7)",
            vec!["assets/main.js render", "assets/page.js load", "app.js ", "app.js Widget", "src/foo.ts bar"],
        ),
        (
            "Firefox and Safari",
            "render@https://example.com/assets/main.3f2a1b9c.js:1:2345\nload/<@https://example.com/assets/page.js:10:5\n\
             @https://example.com/app.js:3:1\nmap@[native code]\nglobal code@https://example.com/app.js:9:1",
            vec!["assets/main.js render", "assets/page.js load", "app.js ", "app.js global code"],
        ),
        (
            "node",
            "Error: no\n    at Object.<anonymous> (/srv/app/releases/20240101120000/src/index.js:3:9)\n    \
             at Module._compile (node:internal/modules/cjs/loader:1105:14)\n    at run (/srv/app/node_modules/express/lib/router.js:1:1)\n    \
             at file:///srv/app/src/other.mjs:4:2",
            vec!["releases/src/index.js ", "app/src/other.mjs "],
        ),
        (
            "Python, the last is the top",
            "Traceback (most recent call last):\n  File \"/srv/shop/app/views.py\", line 12, in show\n    return load(id)\n  \
             File \"/usr/lib/python3/dist-packages/django/db.py\", line 9, in get\n    raise X\n  \
             File \"/srv/shop/app/models.py\", line 40, in load\n    x\nDoesNotExist: 7",
            vec!["shop/app/models.py load", "shop/app/views.py show"],
        ),
        (
            "Java",
            "java.lang.IllegalStateException: no\n\tat java.base/java.util.ArrayList.get(ArrayList.java:427)\n\t\
             at com.example.shop.Cart.total(Cart.java:31)\n\tat com.example.shop.Cart$$Lambda$123/0x0000000800c8.apply(Unknown Source)\n\t\
             at com.example.shop.Cart.lambda$total$3(Cart.java:30)\n\tat org.springframework.web.Servlet.service(Servlet.java:1)\n\t... 31 more",
            vec!["Cart.java com.example.shop.Cart.total", "Cart.java com.example.shop.Cart.lambda$total"],
        ),
        (
            ".NET",
            "System.InvalidOperationException: no\r\n   at System.Linq.Enumerable.First[T](IEnumerable`1 source)\r\n   \
             at Shop.Cart.Total(Int32 id, String name) in C:\\src\\Shop\\Cart.cs:line 31\r\n   at Shop.Program.<Main>b__0_0(String[] args)",
            vec!["src/Shop/Cart.cs Shop.Cart.Total", " Shop.Program.<Main>b"],
        ),
        (
            "Ruby",
            "app/models/cart.rb:31:in `total'\n/usr/lib/ruby/gems/3.2.0/gems/rails-7/lib/x.rb:3:in `call'\n\
             \tfrom app/controllers/carts_controller.rb:9:in 'CartsController#show'",
            vec!["app/models/cart.rb total", "app/controllers/carts_controller.rb CartsController#show"],
        ),
        (
            "PHP",
            "#0 /srv/www/app/Cart.php(31): App\\Cart->total(7)\n#1 /srv/www/vendor/laravel/x.php(9): run()\n\
             #2 [internal function]: App\\Http\\{closure}(Object)\n#3 {main}",
            vec!["www/app/Cart.php App\\Cart->total"],
        ),
        (
            "Go",
            "panic: no\n\ngoroutine 1 [running]:\npanic({0x45e0a0, 0xc000012345})\n\t/usr/local/go/src/runtime/panic.go:884 +0x213\n\
             main.(*Cart).Total(0xc000012345, 0x7)\n\t/home/ci/shop/cart.go:31 +0x1d\nmain.run.func1.2()\n\t/home/ci/shop/main.go:9 +0x2f\n\
             created by main.main in goroutine 1\n\t/home/ci/shop/main.go:5 +0x1f",
            vec!["ci/shop/cart.go main.(*Cart).Total", "ci/shop/main.go main.run.", "ci/shop/main.go main.main"],
        ),
        (
            "Rust",
            "   0: rust_begin_unwind\n             at /rustc/90b35a6239c3/library/std/src/panicking.rs:597:5\n   \
             1: shop::cart::total::h0123456789abcdef\n             at ./src/cart.rs:31:9\n   2: core::ops::call\n             \
             at /rustc/90b35a6239c3/library/core/src/ops.rs:250:5",
            vec!["src/cart.rs shop::cart::total"],
        ),
        ("no stack at all", "something went wrong\nand nobody knows where", vec![]),
        ("nothing", "", vec![]),
    ] {
        assert_eq!(frames(stack), expected, "{what}");
    }
}

#[test]
fn without_frames_of_its_own_all_speak() {
    let stack = "    at a (https://example.com/node_modules/x/index.js:1:1)\n    at b (node:internal/y:2:2)";
    assert_eq!(frames(stack), ["node_modules/x/index.js a", "node:internal/y b"]);
}

#[test]
fn browser_extensions_are_not_the_application() {
    for scheme in ["chrome-extension", "moz-extension", "safari-web-extension"] {
        let stack = format!("    at spy ({scheme}://abc/inject.js:1:1)\n    at run (https://example.com/app.js:1:1)");
        assert_eq!(frames(&stack), ["app.js run"], "{scheme}");
    }
}

#[test]
fn a_recursion_is_one_frame_and_deep_stacks_are_cut() {
    let deep: String = (0..1_000).map(|_| "    at again (https://example.com/a.js:1:1)\n").collect();
    assert_eq!(frames(&deep), ["a.js again"]);
    let many: String = (0..50).map(|at| format!("    at f{at} (https://example.com/a.js:1:1)\n")).collect();
    assert_eq!(frames(&many), ["a.js f0", "a.js f1", "a.js f2", "a.js f3", "a.js f4"]);
}

#[test]
fn files_lose_hosts_queries_hashes_and_releases() {
    for (file, expected) in [
        ("https://cdn.example.com/a/b/main.js?v=1#x", "a/b/main.js"),
        ("https://cdn.example.com/one/two/three/four/main.js", "three/four/main.js"),
        ("https://cdn.example.com/", ""),
        ("/srv/app/releases/20240101120000/lib/x.js", "releases/lib/x.js"),
        ("/srv/app/3f2a1b9c0d/x.js", "srv/app/x.js"),
        ("C:\\src\\Shop\\Cart.cs", "src/Shop/Cart.cs"),
        ("./src/cart.rs", "src/cart.rs"),
        ("main.3f2a1b9c.js", "main.js"),
        ("main.3f2a1b9c.chunk.js", "main.chunk.js"),
        ("main-3f2a1b9c0d1e2f3a.js", "main.js"),
        ("main-BxK3_a9Q.js", "main.js"),
        ("index-DiwrgTda.js", "index.js"),
        ("index-Bx-k3a_9.mjs", "index.mjs"),
        ("chunk.12345678.css", "chunk.css"),
        ("my-component.js", "my-component.js"),
        ("user-settings.js", "user-settings.js"),
        ("deadbeef.js", "deadbeef.js"),
        ("facade.js", "facade.js"),
        ("page2.js", "page2.js"),
        ("views.py", "views.py"),
        ("0001_initial.py", "0001_initial.py"),
        ("Makefile", "Makefile"),
        ("é-BxK3_a9Q.js", "é.js"),
    ] {
        assert_eq!(normal_file(file), expected, "{file}");
    }
}

#[test]
fn hostile_stacks_are_read_in_bounds() {
    for stack in [
        "at ".repeat(10_000),
        "(".repeat(30_000),
        "@:1:1\n".repeat(5_000),
        "\tat é(é.java:1)\n".repeat(300),
        "#0 ".repeat(9_999),
    ] {
        assert!(top_frames(&stack).len() <= FRAMES_MAX);
    }
}

#[test]
fn every_shape_is_a_pattern() {
    assert!(SHAPES.is_some() && GENERATED.is_some());
}
