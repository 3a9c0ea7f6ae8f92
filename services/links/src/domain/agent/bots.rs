//! The list of programs that say in their `User-Agent` that they are one. Kept by hand.
//!
//! An agent is cut into words (letters and digits) and each word is looked up, so that the phone
//! maker CUBOT is no bot while `NewThing-Bot/3` is one. To add a program, add its word here.

use super::Bot;

/// Fetchers of previews. Sorted.
const UNFURLERS: &[&str] = &[
    "bitlybot",
    "bluesky",
    "discordbot",
    "embedly",
    "facebookexternalhit",
    "facebot",
    "flipboardproxy",
    "googlemessages",
    "iframely",
    "linkedinbot",
    "mastodon",
    "mattermost",
    "microsoftpreview",
    "outbrain",
    "pinterestbot",
    "redditbot",
    "rocketchat",
    "signalbot",
    "skypeuripreview",
    "slackbot",
    "slackimgproxy",
    "synapse",
    "teamsbot",
    "telegrambot",
    "twitterbot",
    "vkshare",
    "whatsapp",
];

/// Crawlers, monitors, scanners, archivers whose word does not end like one. Sorted.
const CRAWLERS: &[&str] = &[
    "adsbot",
    "ahrefs",
    "ahrefssiteaudit",
    "aihitdata",
    "amazonproductdiscovery",
    "appinsights",
    "archiver",
    "barkrowler",
    "bidtellect",
    "bingpreview",
    "blexbot",
    "brightedge",
    "bytespider",
    "ccbot",
    "censys",
    "censysinspect",
    "checkhost",
    "claudebot",
    "cohere",
    "crawler",
    "crawlers",
    "dataforseo",
    "dataprovider",
    "deadlinkchecker",
    "detectify",
    "dnyzbot",
    "domainstats",
    "downnotifier",
    "duckassist",
    "facebookcatalog",
    "feedburner",
    "feedfetcher",
    "feedly",
    "feedpress",
    "feedvalidator",
    "freshping",
    "ghostinspector",
    "googleassociationservice",
    "googleother",
    "gtmetrix",
    "headlesschrome",
    "heritrix",
    "hetrixtools",
    "httrack",
    "inoreader",
    "internetmeasurement",
    "iskanie",
    "jetmon",
    "jobboerse",
    "leakix",
    "libretooth",
    "lighthouse",
    "linkchecker",
    "linkdex",
    "linkwalker",
    "magpie",
    "mediapartners",
    "meltwater",
    "miniflux",
    "monitis",
    "netcraft",
    "netcraftsurveyagent",
    "netsystemsresearch",
    "netvibes",
    "newrelic",
    "newrelicpinger",
    "newsblur",
    "nikto",
    "nimbostratus",
    "nmap",
    "nutch",
    "okhttpspider",
    "omgili",
    "omgilibot",
    "panscient",
    "paperlibot",
    "phantomjs",
    "pingdom",
    "pingdompagespeed",
    "proximic",
    "ptst",
    "puppeteer",
    "riddler",
    "rogerbot",
    "scoutjet",
    "scrapy",
    "searchbot",
    "semrush",
    "seokicks",
    "seznam",
    "sitecheckerbotcrawler",
    "siteimprove",
    "sitesucker",
    "slurp",
    "sogou",
    "spider",
    "spyfu",
    "sqlmap",
    "statuscake",
    "statuspage",
    "storebot",
    "summalybot",
    "sysomos",
    "teoma",
    "tineye",
    "turnitin",
    "twingly",
    "uptimekuma",
    "uptimerobot",
    "validator",
    "wappalyzer",
    "webmeup",
    "websitepulse",
    "wpscan",
    "xenu",
    "yacy",
    "yandeximages",
    "yandexmetrika",
    "zgrab",
    "zoominfo",
];

/// Endings that only programs have.
const ENDINGS: &[&str] = &[
    "bot", "bots", "crawler", "spider", "scraper", "indexer", "archiver",
];

/// Words with such an ending that are no bots: phones and television boxes.
const PEOPLE: &[&str] = &["cubot", "robot", "talkbot"];

/// Which kind of bot a lower-case agent names, if any.
pub(super) fn find(lower: &str) -> Option<Bot> {
    let mut found = None;
    let words = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| w.len() > 2);
    for word in words {
        if UNFURLERS.binary_search(&word).is_ok() {
            return Some(Bot::Unfurler);
        }
        if is_crawler(word) {
            found = Some(Bot::Crawler);
        }
    }
    // Two names are written with an underscore or a dash that the cut above takes apart.
    let joined = || lower.contains("ia_archiver") || lower.contains("google-inspectiontool");
    found.or_else(|| joined().then_some(Bot::Crawler))
}

fn is_crawler(word: &str) -> bool {
    if PEOPLE.contains(&word) {
        return false;
    }
    CRAWLERS.binary_search(&word).is_ok() || ENDINGS.iter().any(|e| word.ends_with(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_search() {
        assert!(UNFURLERS.is_sorted());
        let unsorted = CRAWLERS.windows(2).find(|w| w[0] >= w[1]);
        assert_eq!(unsorted, None);
    }
}
