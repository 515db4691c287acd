//! "Did you mean": the known word nearest to one that is not known.

/// Writes the hint for a word that is none of the known ones.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, near) = known
        .iter()
        .map(|near| (strsim::damerau_levenshtein(&word.to_lowercase(), &near.to_lowercase()), *near))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the word may be wrong; further off, a list of what there is helps more.
    (distance <= word.chars().count().max(near.chars().count()).div_ceil(3)).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_named_and_far_ones_listed() {
        assert_eq!(hint("walltime", ["cpu_time", "wall_time"]), "did you mean `wall_time`?");
        assert_eq!(hint("Memory", ["memory"]), "did you mean `memory`?");
        assert_eq!(hint("banana", ["local", "wasi"]), "known: local, wasi");
        assert_eq!(hint("x", []), "remove it");
    }
}
