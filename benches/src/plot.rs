//! Curves as pictures (SVG).

use crate::measure::{grouped, power};
use crate::run::Made;
use plotters::prelude::*;
use std::path::Path;

/// What was measured at a size, with its quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) at: f64,
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) label: &'static str,
    pub(crate) points: Vec<Point>,
}

/// Told apart by people who see few colours as well.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

/// Draws lines over a size, in powers of ten; a bar goes from quartile to quartile. `axes` are named across and up.
pub(crate) fn curves(path: &Path, title: &str, axes: (&str, &str), lines: &[Series]) -> Made<()> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let least = points().map(|point| point.at).fold(f64::INFINITY, f64::min);
    let most = points().map(|point| point.at).fold(0.0, f64::max);
    let top = points().map(|point| point.high).fold(0.0, f64::max) * 1.08;
    if !(least.is_finite() && least > 0.0 && top > 0.0) {
        return Err(format!("{title}: nothing was measured").into());
    }
    let area = SVGBackend::new(path, (760, 400)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d((least * 0.8..most * 1.25).log_scale(), 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .x_label_formatter(&|at| power(*at))
        .y_label_formatter(&|value| grouped(*value))
        .max_light_lines(0)
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let middle = line.points.iter().map(|point| (point.at, point.middle));
        chart
            .draw_series(LineSeries::new(middle.clone(), colour.stroke_width(2)))?
            .label(line.label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(middle.map(|place| Circle::new(place, 3, colour.filled())))?;
        let bars = line.points.iter().map(|point| {
            PathElement::new([(point.at, point.low), (point.at, point.high)], colour.stroke_width(1))
        });
        chart.draw_series(bars)?;
    }
    chart.configure_series_labels().border_style(BLACK.mix(0.3)).background_style(WHITE.mix(0.8)).draw()?;
    area.present()?;
    Ok(())
}
