//! How far away a moment is, as people say it: "in 12 min", "6 years ago".

use super::language::Language;

/// How far `then` is from `now`, both in seconds since 1970: in the largest unit of which there are two.
pub(super) fn distance(then: u64, now: u64, language: Language) -> String {
    if then == now {
        return match language {
            Language::English => "now",
            Language::Korean => "지금",
        }
        .to_owned();
    }
    let span = span(then.abs_diff(now), language);
    match (language, then > now) {
        (Language::English, true) => format!("in {span}"),
        (Language::English, false) => format!("{span} ago"),
        (Language::Korean, true) => format!("{span} 뒤"),
        (Language::Korean, false) => format!("{span} 전"),
    }
}

/// A length of time, rounded down.
pub(super) fn span(seconds: u64, language: Language) -> String {
    let (number, [english, korean]) = match seconds {
        0..120 => (seconds, [" s", "초"]),
        120..7_200 => (seconds / 60, [" min", "분"]),
        7_200..172_800 => (seconds / 3_600, [" h", "시간"]),
        172_800..63_072_000 => (seconds / 86_400, [" days", "일"]),
        _ => (seconds / 31_536_000, [" years", "년"]),
    };
    match language {
        Language::English => format!("{number}{english}"),
        Language::Korean => format!("{number}{korean}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_rounded_down() {
        let now = 1_750_000_000;
        for (seconds, english, korean) in [
            (0, "now", "지금"),
            (1, "in 1 s", "1초 뒤"),
            (119, "in 119 s", "119초 뒤"),
            (120, "in 2 min", "2분 뒤"),
            (750, "in 12 min", "12분 뒤"),
            (7_199, "in 119 min", "119분 뒤"),
            (7_200, "in 2 h", "2시간 뒤"),
            (172_800, "in 2 days", "2일 뒤"),
            (63_072_000, "in 2 years", "2년 뒤"),
        ] {
            assert_eq!(distance(now + seconds, now, Language::English), english);
            assert_eq!(distance(now + seconds, now, Language::Korean), korean);
        }
        assert_eq!(distance(now - 60, now, Language::English), "60 s ago");
        assert_eq!(distance(now - 204_747_900, now, Language::English), "6 years ago");
        assert_eq!(distance(now - 60, now, Language::Korean), "60초 전");
    }
}
