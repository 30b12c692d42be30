"""From a run folder to its judgement and report; comparisons, baselines, histories."""
