//! What a `User-Agent` says: the kind of device, and whether it is a program that says so.
//!
//! Plain HTTP tools (curl, wget, wrk, libraries) and an absent agent are not bots: somebody runs
//! them on purpose, and a load test is to agree to the click. Their device is `other`.

mod bots;

use contracts::links::Device;

/// The longest agent that is looked at, in bytes.
pub(crate) const AGENT_BYTES_MAX: usize = 512;

/// A kind of device, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Platform {
    /// None of those below: HTTP tools, televisions, unknown.
    Other = 0,
    /// A computer.
    Desktop = 1,
    /// An iPhone, iPad or iPod.
    Ios = 2,
    /// An Android phone, tablet or the like.
    Android = 3,
    /// Another phone.
    Mobile = 4,
}

impl Platform {
    /// Every kind, in the order of their numbers.
    pub(crate) const ALL: [Self; 5] = [
        Self::Other,
        Self::Desktop,
        Self::Ios,
        Self::Android,
        Self::Mobile,
    ];

    /// The name as in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Desktop => "desktop",
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Mobile => "mobile",
        }
    }

    /// The kind with this number.
    pub(crate) const fn of(number: u8) -> Self {
        Self::ALL[if number < 5 { number as usize } else { 0 }]
    }
}

/// A program that says that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bot {
    /// Fetches a page to show a preview of it in a chat or a post.
    Unfurler,
    /// Searches, archives, watches, trains.
    Crawler,
}

/// What an agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Agent {
    /// The kind of device.
    pub(crate) platform: Platform,
    /// Which kind of bot, if it is one.
    pub(crate) bot: Option<Bot>,
}

impl Agent {
    /// Whether it is what a rule asks for.
    pub(crate) fn is(self, device: Device) -> bool {
        match device {
            Device::Bot => self.bot.is_some(),
            _ if self.bot.is_some() => false,
            Device::Ios => self.platform == Platform::Ios,
            Device::Android => self.platform == Platform::Android,
            Device::Mobile => {
                matches!(
                    self.platform,
                    Platform::Ios | Platform::Android | Platform::Mobile
                )
            }
            Device::Desktop => self.platform == Platform::Desktop,
        }
    }
}

/// Classifies a `User-Agent`.
pub(crate) fn classify(agent: &[u8]) -> Agent {
    let agent = &agent[..agent.len().min(AGENT_BYTES_MAX)];
    let lower: String = agent
        .iter()
        .map(|b| {
            if b.is_ascii() {
                char::from(b.to_ascii_lowercase())
            } else {
                '?'
            }
        })
        .collect();
    Agent {
        platform: platform(&lower),
        bot: bots::find(&lower),
    }
}

fn platform(lower: &str) -> Platform {
    let has = |text| lower.contains(text);
    if has("iphone") || has("ipad") || has("ipod") {
        // Windows Phone claimed to be both an iPhone and Android.
        return if has("windows phone") {
            Platform::Mobile
        } else {
            Platform::Ios
        };
    }
    if has("android") {
        return if has("windows phone") {
            Platform::Mobile
        } else {
            Platform::Android
        };
    }
    if has("windows phone")
        || has("mobile")
        || has("blackberry")
        || has("opera mini")
        || has("kaios")
    {
        return Platform::Mobile;
    }
    let desktop = [
        "windows nt",
        "macintosh",
        "x11;",
        "cros ",
        "linux x86_64",
        "linux i686",
    ];
    if desktop.iter().any(|d| has(d)) {
        Platform::Desktop
    } else {
        Platform::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
    const PIXEL: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";
    const CUBOT: &str = "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 Chrome/90.0 Mobile Safari/537.36";

    #[test]
    fn people_are_known_by_their_device() {
        for (agent, expected) in [
            (CHROME, Platform::Desktop),
            (IPHONE, Platform::Ios),
            (PIXEL, Platform::Android),
            (CUBOT, Platform::Android),
            (
                "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1) Mobile",
                Platform::Mobile,
            ),
            ("curl/8.9.1", Platform::Other),
            ("hey/0.0.1", Platform::Other),
            ("", Platform::Other),
        ] {
            assert_eq!(
                classify(agent.as_bytes()),
                Agent {
                    platform: expected,
                    bot: None
                },
                "{agent}"
            );
        }
    }

    #[test]
    fn bots_are_known_by_what_they_say() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0 Safari/537.36",
            "UptimeRobot/2.0",
            "AhrefsBot/7.0",
            "DuckDuckBot/1.1",
            "Baiduspider/2.0",
            "ia_archiver",
            "some-unknown-crawler/0.1",
            "NewThing-Bot/3",
        ] {
            assert_eq!(
                classify(agent.as_bytes()).bot,
                Some(Bot::Crawler),
                "{agent}"
            );
        }
        for agent in [
            "facebookexternalhit/1.1",
            "Twitterbot/1.0",
            "WhatsApp/2.23.20.0",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "TelegramBot (like TwitterBot)",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "LinkedInBot/1.0",
        ] {
            assert_eq!(
                classify(agent.as_bytes()).bot,
                Some(Bot::Unfurler),
                "{agent}"
            );
        }
    }

    #[test]
    fn a_rule_for_phones_takes_every_phone_and_no_bot() {
        let iphone = classify(IPHONE.as_bytes());
        assert!(iphone.is(Device::Ios) && iphone.is(Device::Mobile) && !iphone.is(Device::Android));
        let google = classify(b"Mozilla/5.0 (Linux; Android 6) Mobile (compatible; Googlebot/2.1)");
        assert!(google.is(Device::Bot) && !google.is(Device::Mobile));
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        assert_eq!(classify(&[0xff; 2_000]).bot, None);
    }
}
