//! Options side by side, and what sets one apart: star, underlining, bold, colour.

use super::labels;
use super::line::{Line, Look};
use super::questions::RawOption;

/// Manners of marking: a star, and four looks of the letter and of the text.
pub(super) const MANNERS: usize = 9;

/// How an option looks in each manner; zero is the usual.
pub(super) type Looks = [u32; MANNERS];

/// What stands before the first option of a line, and its options. `known` options came before it.
pub(super) fn split(line: &Line, known: usize) -> (String, Vec<RawOption>) {
    let chars = &line.chars;
    let mut starts: Vec<Label> = Vec::new();
    for at in 0..chars.len() {
        if starts_here(chars, at)
            && starts.last().is_none_or(|last| last.text <= at)
            && let Some(label) = label(chars, at, known + starts.len())
        {
            starts.push(label);
        }
    }
    let text = |from: usize, to: usize| chars[from..to].iter().map(|(c, _)| *c).collect::<String>();
    let before = text(0, starts.first().map_or(chars.len(), |label| label.start));
    let option = |(index, label): (usize, &Label)| {
        let end = starts.get(index + 1).map_or(chars.len(), |next| next.start);
        option(label, &chars[label.text..end], chars[label.letter].1)
    };
    (before, starts.iter().enumerate().map(option).collect())
}

/// Where the parts of "*A. text" stand.
struct Label {
    start: usize,
    letter: usize,
    text: usize,
    star: bool,
}

/// Whether an option may begin: at the line's beginning, behind a tab or a wide gap.
fn starts_here(chars: &[(char, Look)], at: usize) -> bool {
    let is = |back: usize, test: fn(char) -> bool| at.checked_sub(back).is_some_and(|before| test(chars[before].0));
    at == 0 || is(1, |c| c == '\t') || (is(1, char::is_whitespace) && is(2, char::is_whitespace))
}

fn label(chars: &[(char, Look)], start: usize, expected: usize) -> Option<Label> {
    let c = |at: usize| chars.get(at).map(|(c, _)| *c);
    let mut at = start;
    let mut star = c(at) == Some('*');
    at += usize::from(star);
    let letter = at;
    if labels::position(c(letter)?)? != expected {
        return None;
    }
    at += 1;
    if c(at) == Some('*') {
        star = true;
        at += 1;
    }
    if !matches!(c(at)?, '.' | ')' | '/' | ':') {
        return None;
    }
    Some(Label { start, letter, text: at + 1, star })
}

fn option(label: &Label, chars: &[(char, Look)], letter: Look) -> RawOption {
    let text: String = chars.iter().map(|(c, _)| *c).collect();
    let text = text.trim();
    let unstarred = text.strip_prefix('*').or_else(|| text.strip_suffix('*'));
    let star = label.star || unstarred.is_some();
    let seen: Vec<Look> =
        chars.iter().filter(|(c, _)| !c.is_whitespace() && *c != '*').map(|(_, look)| *look).collect();
    let all = |of: fn(&Look) -> u32| {
        let first = seen.first().map_or(0, of);
        if seen.iter().all(|look| of(look) == first) { first } else { 0 }
    };
    let aspects: [fn(&Look) -> u32; 4] =
        [|look| look.underlined.into(), |look| look.bold.into(), |look| look.colour, |look| look.highlight];
    let mut looks = [0; MANNERS];
    looks[0] = star.into();
    for (index, of) in aspects.into_iter().enumerate() {
        looks[1 + 2 * index] = of(&letter);
        looks[2 + 2 * index] = all(of);
    }
    RawOption { text: unstarred.unwrap_or(text).trim().to_owned(), looks }
}

/// The one option that a manner sets apart from all others.
pub(super) fn set_apart(options: &[RawOption], manner: usize) -> Option<usize> {
    let values: Vec<u32> = options.iter().map(|option| option.looks[manner]).collect();
    let mut odd = (0..values.len()).filter(|at| {
        let others: Vec<u32> = (0..values.len()).filter(|other| other != at).map(|other| values[other]).collect();
        values[*at] != 0 && others.windows(2).all(|pair| pair[0] == pair[1]) && !others.contains(&values[*at])
    });
    odd.next().filter(|_| odd.next().is_none())
}
