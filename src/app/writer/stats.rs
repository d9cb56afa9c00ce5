//! Figures of a writer's work, for those who watch over it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The code of a refusal.
type Code = [(&'static str, &'static str); 1];

/// What has been counted since the writer began.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Entries of each batch.
    pub(super) batches: Histogram,
    /// Seconds until each was durable.
    pub(super) commits: Histogram,
    /// Batches that failed.
    pub(super) failed: Counter,
    /// Batches that were decided anew because another node was faster.
    pub(super) overtaken: Counter,
    /// When the last checkpoint was signed, in seconds since 1970; 0 before the first of this run.
    pub(super) signed_at: Gauge,
    refused: Family<Code, Counter>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            batches: Histogram::new(exponential_buckets(1.0, 4.0, 7)),
            commits: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            failed: Counter::default(),
            overtaken: Counter::default(),
            signed_at: Gauge::default(),
            refused: Family::default(),
        }
    }
}

impl Stats {
    pub(super) fn refused(&self, code: &'static str) {
        self.refused.get_or_create(&[("code", code)]).inc();
    }

    /// Has them told under their names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("batch_entries", "Entries of each batch", self.batches.clone());
        registry.register_with_unit("commit", "Time until a batch was durable", Unit::Seconds, self.commits.clone());
        registry.register("batches_failed", "Batches that failed", self.failed.clone());
        let signed = "When this run last signed a checkpoint, since 1970; 0 before";
        registry.register_with_unit("checkpoint_signed", signed, Unit::Seconds, self.signed_at.clone());
        let overtaken = "Batches decided anew because another node was faster";
        registry.register("batches_overtaken", overtaken, self.overtaken.clone());
        registry.register("refused", "Refused commands by the code of the refusal", self.refused.clone());
    }
}
