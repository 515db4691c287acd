//! Which item of a list goes with which of another, where their order does not count and likeness is not sameness.

use super::super::text::Case;
use super::node::Node;
use super::shape::{Numbers, Shape, numbers, shape};

/// The longest expected list whose items are paired by trying; longer ones are paired in sorted order.
pub(in crate::evaluate::check) const MAX_MATCHED: usize = 256;

/// The longest list that expected items are looked for in.
pub(super) const MAX_SEARCHED: usize = 1 << 16;

/// How many comparisons there may still be, so that no list makes the time more than linear.
#[derive(Debug)]
pub(super) struct Fuel(pub(super) u64);

impl Fuel {
    /// Uses some; says whether there was enough.
    pub(super) fn burn(&mut self, amount: u64) -> bool {
        let left = self.0.checked_sub(amount);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// Gives the items in an order in which those that are alike stand beside each other.
pub(super) fn sorted(nodes: &[Node], case: Case) -> Vec<usize> {
    let key = |node: &Node| -> (Shape, Vec<f64>) {
        let mut values = Vec::new();
        numbers(node, &mut values);
        (shape(node, case, Numbers::AreBlank), values)
    };
    let keys: Vec<_> = nodes.iter().map(key).collect();
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&keys[*a], &keys[*b]);
        let by_number = || a.1.iter().zip(&b.1).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        a.0.cmp(&b.0).then_with(|| by_number().unwrap_or(std::cmp::Ordering::Equal))
    });
    order
}

/// Finds an item for every expected one, none twice: the augmenting paths of bipartite matching.
///
/// `fits` says whether two items go together; it is asked at most once for a pair. Gives the first expected item that
/// cannot have one, or none of both when the fuel ran out.
pub(super) fn assign(
    expected: usize,
    actual: usize,
    fuel: &mut Fuel,
    mut fits: impl FnMut(usize, usize, &mut Fuel) -> bool,
) -> Result<(), Option<usize>> {
    let mut search = Search { known: vec![None; expected * actual], owner: vec![None; actual], actual };
    for item in 0..expected {
        let mut seen = vec![false; actual];
        match search.find(item, &mut seen, fuel, &mut fits) {
            Some(true) => {}
            Some(false) => return Err(Some(item)),
            None => return Err(None),
        }
    }
    Ok(())
}

struct Search {
    known: Vec<Option<bool>>,
    /// Which expected item has the actual one.
    owner: Vec<Option<usize>>,
    actual: usize,
}

impl Search {
    /// Finds an item for an expected one, moving others on; none when the fuel ran out.
    fn find(
        &mut self,
        item: usize,
        seen: &mut [bool],
        fuel: &mut Fuel,
        fits: &mut dyn FnMut(usize, usize, &mut Fuel) -> bool,
    ) -> Option<bool> {
        // The one in the same place first: both sides are sorted.
        for step in 0..self.actual {
            let other = (item + step) % self.actual;
            if !fuel.burn(1) {
                return None;
            }
            if seen[other] {
                continue;
            }
            let slot = item * self.actual + other;
            let known = match self.known[slot] {
                Some(known) => known,
                None => fits(item, other, fuel),
            };
            self.known[slot] = Some(known);
            if !known {
                continue;
            }
            seen[other] = true;
            let is_free = match self.owner[other] {
                None => true,
                Some(owner) => self.find(owner, seen, fuel, fits)?,
            };
            if is_free {
                self.owner[other] = Some(item);
                return Some(true);
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow obvious model: every order is tried.
    fn model(pairs: &[Vec<bool>], taken: &mut Vec<bool>, item: usize) -> bool {
        item == pairs.len()
            || (0..taken.len()).any(|other| {
                if taken[other] || !pairs[item][other] {
                    return false;
                }
                taken[other] = true;
                let found = model(pairs, taken, item + 1);
                taken[other] = false;
                found
            })
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_every_order_finds(pairs in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 5), 0..6)) {
            let found = assign(pairs.len(), 5, &mut Fuel(10_000), |a, b, _| pairs[a][b]);
            prop_assert_eq!(found.is_ok(), model(&pairs, &mut vec![false; 5], 0));
        }
    }

    #[test]
    fn fuel_ends() {
        assert_eq!(assign(200, 200, &mut Fuel(5_000), |_, _, _| false), Err(Some(0)));
        assert_eq!(assign(200, 200, &mut Fuel(100), |_, _, _| false), Err(None));
    }
}
