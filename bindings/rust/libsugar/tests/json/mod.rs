//! A reader of JSON, as far as the shared vectors go: whole numbers, and in strings `\"` and `\\`.

use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(HashMap<String, Json>),
}

impl Json {
    pub fn read(text: &str) -> Json {
        Reader { text: text.as_bytes(), at: 0 }.value()
    }

    /// A member; of an object that has it.
    pub fn get(&self, key: &str) -> &Json {
        match self {
            Json::Object(members) => &members[key],
            other => panic!("{:?} has no {}", other, key),
        }
    }

    /// A member that is not null.
    pub fn find(&self, key: &str) -> Option<&Json> {
        Some(self.get(key)).filter(|member| **member != Json::Null)
    }

    pub fn number(&self) -> i64 {
        match self {
            Json::Number(number) => *number,
            other => panic!("{:?} is no number", other),
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            other => panic!("{:?} is no text", other),
        }
    }

    pub fn list(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            other => panic!("{:?} is no list", other),
        }
    }

    pub fn numbers(&self) -> Vec<i64> {
        self.list().iter().map(Json::number).collect()
    }

    /// A string of hexadecimal digits.
    pub fn bits(&self) -> u64 {
        u64::from_str_radix(self.text(), 16).expect("hexadecimal digits")
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> u8 {
        while b" \n,:".contains(&self.text[self.at]) {
            self.at += 1;
        }
        self.text[self.at]
    }

    fn value(&mut self) -> Json {
        match self.next() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Json::Text(self.string()),
            b'n' => {
                self.at += 4;
                Json::Null
            }
            _ => self.number(),
        }
    }

    fn object(&mut self) -> Json {
        let mut members = HashMap::new();
        self.at += 1;
        while self.next() != b'}' {
            let key = self.string();
            members.insert(key, self.value());
        }
        self.at += 1;
        Json::Object(members)
    }

    fn list(&mut self) -> Json {
        let mut items = Vec::new();
        self.at += 1;
        while self.next() != b']' {
            items.push(self.value());
        }
        self.at += 1;
        Json::List(items)
    }

    fn string(&mut self) -> String {
        let mut found = Vec::new();
        self.at += 1;
        while self.text[self.at] != b'"' {
            if self.text[self.at] == b'\\' {
                self.at += 1;
                assert!(b"\"\\".contains(&self.text[self.at]), "an escape at byte {}", self.at);
            }
            found.push(self.text[self.at]);
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(found).expect("UTF-8")
    }

    fn number(&mut self) -> Json {
        let start = self.at;
        while self.text[self.at] == b'-' || self.text[self.at].is_ascii_digit() {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[start..self.at]).expect("digits");
        Json::Number(digits.parse().unwrap_or_else(|_| panic!("no JSON at byte {}", start)))
    }
}
