//! Groups of bars on a logarithmic scale, with their quartiles, as SVG.

use std::fmt::Write;

use super::{Quartiles, significant};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 44.0;
/// How much of a group's width its bars take.
const FILLED: f64 = 0.86;
/// Told apart by people who see few colours, too.
const COLOURS: [&str; 6] = ["#999999", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9"];

/// A chart.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) groups: Vec<Group>,
}

/// Bars that stand together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// One figure. Bars of one name have one colour.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) value: Quartiles,
}

/// The powers of ten between which everything lies.
#[derive(Debug, Clone, Copy)]
struct Scale {
    lowest: f64,
    highest: f64,
}

impl Chart {
    /// The chart as a document.
    pub(crate) fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
        );
        text(&mut out, (LEFT, 24.0), "start", 15, &self.title);
        let scale = Scale::of(self.groups.iter().flat_map(|group| &group.bars));
        scale.draw(&mut out);
        let names = self.names();
        draw_legend(&mut out, &names);
        let each = (WIDTH - LEFT - RIGHT) / self.groups.len().max(1) as f64;
        for (index, group) in self.groups.iter().enumerate() {
            group.draw(&mut out, scale, LEFT + index as f64 * each, each, &names);
        }
        out.push_str("</svg>\n");
        out
    }

    /// The names of all bars, in the order of their colours.
    fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for bar in self.groups.iter().flat_map(|group| &group.bars) {
            if !names.contains(&bar.name) {
                names.push(bar.name);
            }
        }
        names
    }
}

impl Group {
    fn draw(&self, out: &mut String, scale: Scale, left: f64, width: f64, names: &[&str]) {
        text(out, (left + width / 2.0, HEIGHT - BOTTOM + 22.0), "middle", 12, &self.name);
        let each = width * FILLED / self.bars.len().max(1) as f64;
        for (index, bar) in self.bars.iter().enumerate() {
            let x = left + width * (1.0 - FILLED) / 2.0 + index as f64 * each;
            let place = names.iter().position(|name| *name == bar.name).unwrap_or_default();
            bar.draw(out, scale, x, each, COLOURS[place % COLOURS.len()]);
        }
    }
}

impl Bar {
    fn draw(&self, out: &mut String, scale: Scale, x: f64, width: f64, colour: &str) {
        let Quartiles { lower, median, upper } = self.value;
        let (bar, base) = (width * 0.9, HEIGHT - BOTTOM);
        let (top, middle) = (scale.y(median), x + bar / 2.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{bar:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\n\
             <line x1=\"{middle:.1}\" x2=\"{middle:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"black\"/>",
            base - top,
            scale.y(lower),
            scale.y(upper)
        );
        text(out, (middle, scale.y(upper) - 5.0), "middle", 11, &significant(median));
    }
}

impl Scale {
    fn of<'a>(bars: impl Iterator<Item = &'a Bar> + Clone) -> Self {
        let least = bars.clone().map(|bar| bar.value.lower).fold(f64::INFINITY, f64::min);
        let most = bars.map(|bar| bar.value.upper).fold(0.0, f64::max);
        let lowest = least.log10().floor();
        let lowest = if lowest.is_finite() { lowest } else { 0.0 };
        let highest = most.log10().ceil();
        Self { lowest, highest: if highest > lowest { highest } else { lowest + 1.0 } }
    }

    fn y(self, value: f64) -> f64 {
        let part = (value.log10() - self.lowest) / (self.highest - self.lowest);
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)
    }

    fn draw(self, out: &mut String) {
        let mut power = self.lowest;
        while power <= self.highest {
            let y = self.y(10f64.powf(power));
            let right = WIDTH - RIGHT;
            let _ = writeln!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>"
            );
            text(out, (LEFT - 6.0, y + 4.0), "end", 11, &format!("{}", 10f64.powf(power)));
            power += 1.0;
        }
    }
}

fn draw_legend(out: &mut String, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        let x = LEFT + index as f64 * 140.0;
        let colour = COLOURS[index % COLOURS.len()];
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"38\" width=\"12\" height=\"12\" fill=\"{colour}\"/>");
        text(out, (x + 18.0, 48.0), "start", 12, name);
    }
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, size: u32, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &'static str, median: f64) -> Bar {
        Bar { name, value: Quartiles { lower: median * 0.9, median, upper: median * 1.1 } }
    }

    #[test]
    fn every_bar_has_its_place_and_each_name_one_colour() {
        let group = |name: &str, bars| Group { name: name.to_owned(), bars };
        let chart = Chart {
            title: "a < b".to_owned(),
            groups: vec![
                group("1", vec![bar("floor", 4.0), bar("gateway", 5.0)]),
                group("16", vec![bar("floor", 0.3), bar("gateway", 0.4)]),
            ],
        };
        let svg = chart.svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b") && !svg.contains("NaN") && !svg.contains("inf"));
        // Two bars and one square of the legend.
        assert_eq!(svg.matches(COLOURS[1]).count(), 3);
    }

    #[test]
    fn higher_is_more() {
        let bars = [bar("a", 0.2), bar("b", 200.0)];
        let scale = Scale::of(bars.iter());
        assert_eq!((scale.lowest, scale.highest), (-1.0, 3.0));
        assert!(scale.y(200.0) < scale.y(2.0) && scale.y(2.0) < scale.y(0.2));
        assert!(Scale::of([].iter()).y(1.0).is_finite());
    }
}
