//! Neighbours: clauses that follow each other mostly follow each other in the model too.
//!
//! The clauses of the text are read as a walk over the targets. A step forward is free but for what it skips, staying on the
//! same target costs a little (one clause split in two), a step back a little too (two clauses in the other order), and going
//! anywhere else costs a jump (a chapter that stands elsewhere). For every pair the best walk that leads through it is
//! worked out, forwards and backwards, so that each clause is judged by what comes before and behind it. Time and memory:
//! clauses × targets.
//!
//! The prices are small beside what a good likeness of words is worth: dearer jumps made texts whose clauses are only a
//! little out of order come out worse than without any regard for order.

use super::similar::Matrix;

/// Price of going anywhere else.
const JUMP: f32 = 0.2;
/// Price of each target that is stepped over.
const SKIP: f32 = 0.004;
/// Price of a step back.
const BACK: f32 = 0.05;
/// Price of each target that is stepped back over.
const SKIP_BACK: f32 = 0.02;
/// Price of staying on the same target.
const STAY: f32 = 0.12;

/// For every pair how good the best walk through it is. Only differences within a row mean something.
pub(super) fn best_through(fit: &Matrix) -> Matrix {
    let forward = walk(fit, (0..fit.rows()).collect(), false);
    let backward = walk(fit, (0..fit.rows()).rev().collect(), true);
    let mut through = Matrix::new(fit.rows(), fit.columns());
    for i in 0..fit.rows() {
        let sides = forward.row(i).iter().zip(backward.row(i)).zip(fit.row(i));
        for (slot, ((f, b), own)) in through.row_mut(i).iter_mut().zip(sides) {
            *slot = f + b - own;
        }
    }
    through
}

/// The best walk that ends in each pair, its own fit included; rows in the order given, targets from the end when `back`.
fn walk(fit: &Matrix, rows: Vec<usize>, back: bool) -> Matrix {
    let mut out = Matrix::new(fit.rows(), fit.columns());
    let mut before: Option<Vec<f32>> = None;
    for i in rows {
        let mut now = fit.row(i).to_vec();
        if let Some(before) = &before {
            now.iter_mut().zip(ways(before, back)).for_each(|(v, way)| *v += way);
        }
        // A long walk would lose the differences in the sum: each row begins at its best.
        let best = now.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        now.iter_mut().for_each(|v| *v -= best);
        out.row_mut(i).copy_from_slice(&now);
        before = Some(now);
    }
    out
}

/// The best way of coming to each target from the row before; forward is down where the walk goes `back`.
fn ways(before: &[f32], back: bool) -> Vec<f32> {
    let jump = before.iter().copied().fold(f32::NEG_INFINITY, f32::max) - JUMP;
    let mut ways: Vec<f32> = before.iter().map(|b| (b - STAY).max(jump)).collect();
    let (up, down) = if back { ((BACK, SKIP_BACK), (0.0, SKIP)) } else { ((0.0, SKIP), (BACK, SKIP_BACK)) };
    steps(ways.iter_mut().zip(before), up);
    steps(ways.iter_mut().zip(before).rev(), down);
    ways
}

/// Steps in the direction of the pairs, with their price and that of each target stepped over.
fn steps<'a>(pairs: impl Iterator<Item = (&'a mut f32, &'a f32)>, (price, skip): (f32, f32)) {
    let mut behind = f32::NEG_INFINITY;
    for (way, before) in pairs {
        *way = way.max(behind - price);
        behind = (behind - skip).max(*before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(rows: &[&[f32]]) -> Vec<usize> {
        let mut fit = Matrix::new(rows.len(), rows[0].len());
        for (i, row) in rows.iter().enumerate() {
            fit.row_mut(i).copy_from_slice(row);
        }
        let through = best_through(&fit);
        (0..rows.len())
            .map(|i| {
                let row = through.row(i);
                (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap()
            })
            .collect()
    }

    #[test]
    fn the_neighbours_decide_between_equals() {
        // The second clause fits the second and the fifth target alike; its neighbours stand around the second.
        let rows: [&[f32]; 3] =
            [&[0.9, 0.0, 0.0, 0.0, 0.0], &[0.0, 0.5, 0.0, 0.0, 0.5], &[0.0, 0.0, 0.9, 0.0, 0.0]];
        assert_eq!(best(&rows), [0, 1, 2]);
    }

    #[test]
    fn two_clauses_in_the_other_order() {
        let rows: [&[f32]; 4] =
            [&[0.6, 0.1, 0.0, 0.0], &[0.0, 0.1, 0.5, 0.0], &[0.0, 0.4, 0.0, 0.2], &[0.0, 0.1, 0.0, 0.5]];
        assert_eq!(best(&rows), [0, 2, 1, 3]);
    }

    #[test]
    fn a_moved_chapter_is_followed() {
        let rows: [&[f32]; 4] =
            [&[0.0, 0.0, 0.8, 0.1], &[0.1, 0.3, 0.0, 0.8], &[0.8, 0.0, 0.0, 0.0], &[0.0, 0.8, 0.2, 0.0]];
        assert_eq!(best(&rows), [2, 3, 0, 1]);
    }
}
