//! Looks for what must not become public: identity numbers, mobile and bank card numbers.

/// What was found in a text, in words; `None` where nothing was. Separators inside a number (blank, hyphen) do not hide it.
///
/// | text                      | found                                    |
/// |---------------------------|------------------------------------------|
/// | `卡号 6222 0200 0000 1234 563` | a bank card number (where Luhn holds) |
/// | `13812345678`             | a mobile number                          |
/// | `2026-03-05`              | nothing                                  |
pub fn private(text: &str) -> Option<&'static str> {
    let mut digits = String::new();
    let mut found = None;
    let mut separated = false;
    for c in text.chars().chain(['\n']) {
        let c = match c {
            '０'..='９' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            other => other,
        };
        if c.is_ascii_digit() || (matches!(c, 'x' | 'X') && digits.len() == 17) {
            digits.push(c.to_ascii_uppercase());
            separated = false;
        } else if matches!(c, ' ' | '-') && !digits.is_empty() && !separated {
            separated = true;
        } else {
            found = found.or_else(|| number(&digits));
            digits.clear();
            separated = false;
        }
    }
    found
}

fn number(digits: &str) -> Option<&'static str> {
    if is_identity(digits) {
        return Some("an identity number");
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mobile = digits.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(digits);
    if mobile.len() == 11 && mobile.starts_with('1') && mobile.as_bytes()[1] >= b'3' {
        return Some("a mobile number");
    }
    ((13..=19).contains(&digits.len()) && luhn(digits)).then_some("a bank card number")
}

/// 18 characters with a date of birth and a check character. GB 11643-1999.
fn is_identity(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    if text.len() != 18 || !text[..17].bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(0);
    let dated =
        (1900..=2100).contains(&part(6, 10)) && (1..=12).contains(&part(10, 12)) && (1..=31).contains(&part(12, 14));
    let sum: u32 = text.bytes().zip(WEIGHTS).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    let check = usize::try_from(sum % 11).map(|place| CHECKS[place]);
    dated && check == Ok(text.as_bytes()[17])
}

/// Check digit of card numbers. ISO/IEC 7812-1 annex B.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, b)| {
            let digit = u32::from(b - b'0');
            match (place % 2, digit * 2) {
                (0, _) => digit,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::private;

    #[test]
    fn numbers_of_persons_are_found() {
        for (text, found) in [
            ("身份证 11010519491231002X", Some("an identity number")),
            ("110105194912310021", None),
            ("电话 138-1234-5678", Some("a mobile number")),
            ("+86 13812345678", Some("a mobile number")),
            ("卡 4111 1111 1111 1111", Some("a bank card number")),
            ("4111111111111112", None),
            ("2026-03-05 收到 132,000.00 元", None),
            ("编号 12345", None),
        ] {
            assert_eq!(private(text), found, "{text}");
        }
    }
}
