use super::*;

#[test]
fn addresses_in_text_are_blotted_out() {
    let rows = [
        ("from 83.149.9.216 port 22", "from x.x.x.x port 22"),
        ("83.149.9.216", "x.x.x.x"),
        ("to 10.0.0.1:8080.", "to x.x.x.x:8080."),
        ("at 10.0.0.1.", "at x.x.x.x."),
        ("ip=10.0.0.1,10.0.0.2", "ip=x.x.x.x,x.x.x.x"),
        ("(10.0.0.1)", "(x.x.x.x)"),
        ("v10.0.0.1x", "vx.x.x.xx"),
        ("001.002.003.004", "x.x.x.x"),
        ("from 2001:db8::1 now", "from x::x now"),
        ("[2001:DB8::1]:443", "[x::x]:443"),
        ("2001:db8::1.", "x::x."),
        ("fe80::1%eth0", "x::x%eth0"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "x::x"),
        ("::ffff:10.0.0.1", "x::x"),
        ("peer 2001:db8:: up", "peer x::x up"),
        ("Ü10.0.0.1Ü", "Üx.x.x.xÜ"),
    ];
    for (text, masked) in rows {
        assert_eq!(addresses(text), masked, "{text}");
    }
}

#[test]
fn what_is_no_address_stays() {
    let texts = [
        "",
        "plain",
        "at 10:05:03",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "std::string",
        "::",
        "a.b.c.d",
        "00:1b:44:11:3a:b7",
        "2015-05-17T10:05:03Z",
        "é::1é",
    ];
    for text in texts {
        assert!(matches!(addresses(text), Cow::Borrowed(same) if same == text), "{text} {}", addresses(text));
    }
}
