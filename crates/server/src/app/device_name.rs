//! What a device is called in the list of sessions: as its person named it, or made from its `User-Agent`, such as
//! "Chrome on Windows".
//!
//! Whoever signs in writes that header, so nothing of it is repeated: it only chooses among the names below. It is no
//! evidence either, and may help nobody but the person who looks for the session to end.
//!
//! The rules are our own, in the form of the list that ua-parser is made for (uap-core). That one's rules for programs
//! and systems hold 13 MB of memory, nearly as much as the whole server while idle, and some take the name from the
//! header.

use counterfoil_domain::session::Device;
use std::sync::LazyLock;
use ua_parser::{os, user_agent};

/// A regular expression, and what is said where it matches. The first one of a list wins.
type Rule = (&'static str, &'static str);

/// Has no account: who says to be one is somebody's script, and the system it names is as likely made up.
const BOT: &str = "Bot";

/// From the special to the common, for most programs name others as well: Edge says that it is Chrome, and Chrome that
/// it is Safari.
const PROGRAMS: &[Rule] = &[
    ("[Bb]ot/|[Cc]rawler|[Ss]pider|facebookexternalhit", BOT),
    // Apps that open pages in a window of their own.
    ("KAKAOTALK", "KakaoTalk"),
    ("Instagram", "Instagram"),
    ("FBAN/Messenger|FB_IAB/MESSENGER", "Messenger"),
    ("FBAN/|FB_IAB/", "Facebook"),
    (r"NAVER\(", "NAVER"),
    ("DaumApps/", "Daum"),
    (" Line/", "LINE"),
    ("MicroMessenger/", "WeChat"),
    ("GSA/", "Google app"),
    // Browsers.
    ("Edg(?:e|A|iOS|)/", "Edge"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Whale/", "Whale"),
    ("OP[RTX]/|Opera", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("Ddg/|DuckDuckGo/", "DuckDuckGo"),
    ("Brave/", "Brave"),
    ("UCBrowser/", "UC Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("Silk/", "Silk"),
    ("Epiphany/", "GNOME Web"),
    ("HeadlessChrome/", "Headless Chrome"),
    (r"Electron/|; wv\)", "App"),
    ("Chrom(?:e|ium)/|CriOS/", "Chrome"),
    ("Firefox/|FxiOS/", "Firefox"),
    ("PlayStation|Nintendo", "Browser"),
    ("Safari/", "Safari"),
    ("Trident/|MSIE ", "Internet Explorer"),
    (r"Gecko\) Mobile/", "App"),
    // Programs without windows, and what apps are made with.
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("HTTPie/", "HTTPie"),
    ("^PostmanRuntime/", "Postman"),
    ("^insomnia/", "Insomnia"),
    ("PowerShell/", "PowerShell"),
    ("^[Pp]ython|aiohttp/", "Python program"),
    ("^Go-http-client/", "Go program"),
    ("^(?:node|undici)$|^node-fetch|^axios/", "Node.js program"),
    ("^Java|^Apache-HttpClient/", "Java program"),
    ("^GuzzleHttp/|^PHP/", "PHP program"),
    ("^Ruby|^Faraday", "Ruby program"),
    ("Dalvik/|CFNetwork/|Alamofire/", "App"),
    ("okhttp/", "App (okhttp)"),
    ("Dart/", "App (Dart)"),
];

/// An iPhone is also "like Mac OS X", an Xbox is also Windows, Android is also Linux. An iPad that asks for pages as
/// made for computers, which is what it does by default, cannot be told from a Mac.
const SYSTEMS: &[Rule] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iOS[ /][0-9]", "iOS"),
    ("PlayStation", "PlayStation"),
    ("Xbox", "Xbox"),
    ("Nintendo", "Nintendo"),
    ("CrOS ", "ChromeOS"),
    ("HarmonyOS|OpenHarmony", "HarmonyOS"),
    ("Web0S|Tizen|SMART-TV|BRAVIA|AppleTV", "TV"),
    ("Android|Dalvik/", "Android"),
    ("Windows", "Windows"),
    ("Macintosh|Mac OS X|macOS", "macOS"),
    ("CFNetwork/", "an Apple device"),
    ("(?:Free|Open|Net)BSD", "BSD"),
    ("Linux", "Linux"),
];

struct Rules {
    programs: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
}

/// Built when the first session is shown: it takes a millisecond or two.
static RULES: LazyLock<Option<Rules>> = LazyLock::new(build_rules);

/// None where a rule is not well-formed, which a test would have seen.
fn build_rules() -> Option<Rules> {
    let program = |(regex, name): &Rule| user_agent::Parser {
        regex: (*regex).into(),
        family_replacement: Some((*name).into()),
        ..user_agent::Parser::default()
    };
    let system = |(regex, name): &Rule| os::Parser {
        regex: (*regex).into(),
        os_replacement: Some((*name).into()),
        ..os::Parser::default()
    };
    Some(Rules {
        programs: user_agent::Builder::new().push_all(PROGRAMS.iter().map(program)).ok()?.build().ok()?,
        systems: os::Builder::new().push_all(SYSTEMS.iter().map(system)).ok()?.build().ok()?,
    })
}

/// The name given at sign-in, or else one made from the user agent; none where that says nothing.
pub(crate) fn device_name(device: &Device) -> Option<String> {
    device.name.clone().or_else(|| name_from(device.user_agent.as_deref()?))
}

fn name_from(user_agent: &str) -> Option<String> {
    let rules = RULES.as_ref()?;
    let program = rules.programs.extract(user_agent).map(|found| found.family);
    let system = rules.systems.extract(user_agent).map(|found| found.os);
    match (program, system) {
        (Some(program), Some(system)) if program != BOT => Some(format!("{program} on {system}")),
        (program, system) => program.or(system).map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at the beginning of many.
    const SHORT: [(&str, &str); 4] = [
        ("{iphone}", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {apple}"),
        ("{phone}", "Mozilla/5.0 (Linux; Android 15; SM-S938N Build/AP3A.240905.015.A2; wv) {webkit}"),
        ("{apple}", "AppleWebKit/605.1.15 (KHTML, like Gecko)"),
        ("{webkit}", "AppleWebKit/537.36 (KHTML, like Gecko)"),
    ];

    #[rustfmt::skip] // one a line
    const NAMES: &[(&str, &str)] = &[
        ("Chrome on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0.0.0 Safari/537.36"),
        ("Chrome on macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Chrome/142.0.0.0 Safari/537.36"),
        ("Chrome on Linux", "Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/142.0.0.0 Safari/537.36"),
        ("Chrome on ChromeOS", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {webkit} Chrome/142.0.0.0 Safari/537.36"),
        ("Chrome on Android", "Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/142.0.0.0 Mobile Safari/537.36"),
        ("Chrome on iPhone", "{iphone} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1"),
        ("Chrome on iPad", "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) {apple} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1"),
        ("Headless Chrome on Linux", "Mozilla/5.0 (X11; Linux x86_64) {webkit} HeadlessChrome/142.0.0.0 Safari/537.36"),
        ("Edge on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"),
        ("Edge on Android", "Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/142.0.0.0 Mobile Safari/537.36 EdgA/142.0.0.0"),
        ("Edge on iPhone", "{iphone} Version/18.0 EdgiOS/142.0.3595.66 Mobile/15E148 Safari/604.1"),
        ("Firefox on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"),
        ("Firefox on macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0"),
        ("Firefox on Linux", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
        ("Firefox on BSD", "Mozilla/5.0 (X11; FreeBSD amd64; rv:145.0) Gecko/20100101 Firefox/145.0"),
        ("Firefox on Android", "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"),
        ("Firefox on iPhone", "{iphone} FxiOS/145.0 Mobile/15E148 Safari/605.1.15"),
        ("Safari on macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {apple} Version/26.1 Safari/605.1.15"),
        ("Safari on iPhone", "{iphone} Version/26.1 Mobile/15E148 Safari/604.1"),
        ("Safari on iPad", "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) {apple} Version/16.6 Mobile/15E148 Safari/604.1"),
        ("Samsung Internet on Android", "Mozilla/5.0 (Linux; Android 10; K) {webkit} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36"),
        ("Opera on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0"),
        ("Opera on iPhone", "{iphone} Version/18.7 Mobile/15E148 Safari/604.1 OPT/6.2.1"),
        ("Vivaldi on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0.0.0 Safari/537.36 Vivaldi/7.6.3797.63"),
        ("Whale on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/138.0.0.0 Whale/4.33.325.17 Safari/537.36"),
        ("Internet Explorer on Windows", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"),
        ("GNOME Web on Linux", "Mozilla/5.0 (X11; Linux x86_64) {apple} Version/18.6 Safari/605.1.15 Epiphany/18.6"),
        ("Browser on PlayStation", "Mozilla/5.0 (PlayStation; PlayStation 5/10.40) {apple} Version/18.4 Safari/605.1.15"),
        ("NAVER on Android", "Mozilla/5.0 (Linux; Android 14; SM-S928N) {webkit} Chrome/138.0.0.0 Whale/1.0.0.0 Crosswalk/33.138.0.5 Mobile Safari/537.36 NAVER(inapp; search; 2000; 12.14.4)"),
        ("NAVER on iPhone", "{iphone} Mobile/15E148 Safari/604.1 NAVER(inapp; search; 2000; 12.14.4; 15PRO)"),
        ("KakaoTalk on Android", "{phone} Version/4.0 Chrome/142.0.7444.102 Mobile Safari/537.36;KAKAOTALK 2611120"),
        ("KakaoTalk on iPhone", "{iphone} Mobile/15E148 KAKAOTALK/11.3.2 (INAPP)"),
        ("Instagram on Android", "{phone} Version/4.0 Chrome/142.0.7444.102 Mobile Safari/537.36 Instagram 405.1.0.57.77 Android (35/15; 480dpi; samsung; SM-S938N)"),
        ("Instagram on iPhone", "{iphone} Mobile/15E148 Instagram 405.1.0.34.75 (iPhone16,1; iOS 18_7; ko_KR; ko; scale=3.00; 1179x2556)"),
        ("Facebook on iPhone", "{iphone} Mobile/15E148 [FBAN/FBIOS;FBAV/536.0.0.38.77;FBDV/iPhone16,1;FBSN/iOS;FBSV/18.7]"),
        ("Google app on iPhone", "{iphone} GSA/393.0.828793434 Mobile/15E148 Safari/604.1"),
        ("App on Android", "{phone} Version/4.0 Chrome/142.0.7444.102 Mobile Safari/537.36"),
        ("App on Android", "Dalvik/2.1.0 (Linux; U; Android 15; SM-S938N Build/AP3A.240905.015.A2)"),
        ("App on iPhone", "{iphone} Mobile/15E148"),
        ("App on macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Notes/1.0.0 Chrome/138.0.7204.251 Electron/37.10.3 Safari/537.36"),
        ("App on iOS", "Notes/1.0 (com.example.notes; build:1; iOS 18.7.0) Alamofire/5.10.2"),
        ("App on an Apple device", "Notes/42 CFNetwork/3826.600.41 Darwin/24.6.0"),
        ("App (okhttp)", "okhttp/5.1.0"),
        ("App (okhttp)", "Notes/1.4.2 (com.example.notes; build 42) okhttp/5.1.0"),
        ("App (Dart)", "Dart/3.9 (dart:io)"),
        ("iPad", "Notes/1.0 (iPad; iOS 18.7; Scale/2.00)"),
        ("Windows", "Notes/1.0 (Windows NT 10.0)"),
        ("curl", "curl/8.14.1"),
        ("Wget", "Wget/1.25.0"),
        ("HTTPie", "HTTPie/3.2.4"),
        ("Postman", "PostmanRuntime/7.49.1"),
        ("PowerShell on Windows", "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.26100.7019"),
        ("Python program", "python-requests/2.32.5"),
        ("Python program", "Python/3.13 aiohttp/3.13.2"),
        ("Go program", "Go-http-client/2.0"),
        ("Node.js program", "node"),
        ("Node.js program", "axios/1.12.2"),
        ("Java program", "Java-http-client/21.0.8"),
        ("Bot", "Mozilla/5.0 {webkit}; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/142.0.0.0 Safari/537.36"),
        ("Bot", "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {webkit} Chrome/142.0.0.0 Mobile Safari/537.36 (compatible; bingbot/2.0)"),
    ];

    #[test]
    fn devices_are_called_what_a_person_would_call_them() {
        for (expected, short) in NAMES {
            let user_agent = SHORT.iter().fold((*short).to_owned(), |text, (short, long)| text.replace(short, long));
            assert_eq!(name_from(&user_agent).as_deref(), Some(*expected), "{user_agent}");
        }
    }

    #[test]
    fn what_says_nothing_gets_no_name() {
        let junk = "x/1 (;".repeat(86);
        let unknown = [
            "",
            " ",
            "-",
            "tests",
            "Mozilla/5.0",
            "nodejs",
            "libcurl",
            "<script>alert(1)</script>",
            "\u{202e}민수",
            &junk,
        ];
        for user_agent in unknown {
            assert_eq!(name_from(user_agent), None, "{user_agent}");
        }
    }

    #[test]
    fn the_given_name_comes_first() {
        let mut device = Device { name: None, user_agent: None, ip: None };
        assert_eq!(device_name(&device), None);
        device.user_agent = Some("curl/8.14.1".to_owned());
        assert_eq!(device_name(&device).as_deref(), Some("curl"));
        device.name = Some("laptop".to_owned());
        assert_eq!(device_name(&device).as_deref(), Some("laptop"));
    }

    #[test]
    fn nothing_of_the_header_is_repeated() {
        let longest = |rules: &[Rule]| rules.iter().map(|(_, name)| name.len()).max().unwrap();
        assert!(longest(PROGRAMS) + " on ".len() + longest(SYSTEMS) <= 60);
        for (_, name) in PROGRAMS.iter().chain(SYSTEMS) {
            assert!(name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{name}");
            assert!(!name.contains('$'), "{name} would take a group from the header");
        }
    }
}
