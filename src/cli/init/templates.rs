//! The files of each template, embedded.

/// A file of a template: its path, and its text.
pub(super) type File = (&'static str, &'static str);

/// A course: one task, open and hidden cases, solutions that prove it.
pub(super) const GRADING: [File; 7] = [
    ("cases.yaml", include_str!("grading/cases.yaml")),
    ("spec.yaml", include_str!("grading/spec.yaml")),
    ("data/long.in", include_str!("grading/data/long.in")),
    ("data/long.ans", include_str!("grading/data/long.ans")),
    ("submissions/accepted/mean.py", include_str!("grading/submissions/accepted/mean.py")),
    ("submissions/wrong_answer/truncates.py", include_str!("grading/submissions/wrong_answer/truncates.py")),
    ("submissions/run_time_error/empty.py", include_str!("grading/submissions/run_time_error/empty.py")),
];

/// A benchmark: one program that grows over two checkpoints; the cases of the first go on to hold.
pub(super) const BENCHMARK: [File; 6] = [
    ("spec.yaml", include_str!("benchmark/spec.yaml")),
    ("checkpoint_1/cases.yaml", include_str!("benchmark/checkpoint_1/cases.yaml")),
    (
        "checkpoint_1/submissions/accepted/notes.py",
        include_str!("benchmark/checkpoint_1/submissions/accepted/notes.py"),
    ),
    ("checkpoint_2/cases.yaml", include_str!("benchmark/checkpoint_2/cases.yaml")),
    (
        "checkpoint_2/submissions/accepted/notes.py",
        include_str!("benchmark/checkpoint_2/submissions/accepted/notes.py"),
    ),
    (
        "checkpoint_2/submissions/wrong_answer/notes.py",
        include_str!("benchmark/checkpoint_1/submissions/accepted/notes.py"),
    ),
];
