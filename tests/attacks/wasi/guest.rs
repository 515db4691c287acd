//! Writes guests: calls of preview 1 in a row, each of which prints its error number on a line.

use std::fmt::Write;

/// The imports, and `$say`, which prints a number and a line end.
const PRELUDE: &str = r#"
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_advise" (func $fd_advise (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_allocate" (func $fd_allocate (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $fd_filestat_set_size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_times"
    (func $fd_filestat_set_times (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_sync" (func $fd_sync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_set_times"
    (func $path_set_times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link" (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink" (func $readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory" (func $rmdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $sock_recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $sock_send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $sock_shutdown (param i32 i32) (result i32)))
  (func $digit (param $number i64)
    (if (i64.gt_u (local.get $number) (i64.const 9))
      (then (call $digit (i64.div_u (local.get $number) (i64.const 10)))))
    (call $put (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10))))))
  (func $put (param $byte i32)
    (i32.store8 (i32.const 16) (local.get $byte))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $say (param $number i64)
    (if (i64.lt_s (local.get $number) (i64.const 0))
      (then (call $put (i32.const 45)) (local.set $number (i64.sub (i64.const 0) (local.get $number)))))
    (call $digit (local.get $number))
    (call $put (i32.const 10)))
"#;

/// Where an opened descriptor is put.
pub(crate) const OUT: &str = "(i32.const 512)";
/// The last descriptor that was opened.
pub(crate) const OPENED: &str = "(i32.load (i32.const 512))";
/// Where calls may write what nobody reads.
pub(crate) const SCRATCH: &str = "(i32.const 600)";

/// A guest under construction. Its memory: 0 to 1023 for its own use, then its texts, then 32 KiB to work with.
pub(crate) struct Guest {
    data: String,
    body: String,
    next: usize,
    pages: u32,
}

impl Guest {
    pub(crate) fn new() -> Self {
        Self { data: String::new(), body: String::new(), next: 1024, pages: 2 }
    }

    pub(crate) fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// Gives a text as its address and its length.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let at = self.next;
        let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(self.data, "  (data (i32.const {at}) \"{bytes}\")").unwrap();
        self.next += text.len();
        assert!(self.next < 30_000);
        format!("(i32.const {at}) (i32.const {})", text.len())
    }

    /// Adds instructions.
    pub(crate) fn then(&mut self, code: impl AsRef<str>) {
        self.body += code.as_ref();
        self.body.push('\n');
    }

    /// Adds a call that gives an error number, which is printed.
    pub(crate) fn call(&mut self, call: impl AsRef<str>) {
        self.then(format!("(call $say (i64.extend_i32_s (call ${})))", call.as_ref()));
    }

    /// Opens a path, following symlinks, to read; with these flags (1 make, 2 directory, 4 alone, 8 empty).
    pub(crate) fn open(&mut self, fd: u32, path: &str, flags: u32) {
        self.open_with(fd, path, flags, 2);
    }

    /// Opens with these rights (2 read, 64 write).
    pub(crate) fn open_with(&mut self, fd: u32, path: &str, flags: u32, rights: u32) {
        let path = self.text(path);
        self.call(format!(
            "path_open (i32.const {fd}) (i32.const 1) {path} (i32.const {flags}) (i64.const {rights}) (i64.const 0) \
             (i32.const 0) {OUT}"
        ));
    }

    /// Gives the whole module.
    pub(crate) fn finish(&self) -> String {
        let Self { data, body, pages, .. } = self;
        format!(
            "(module{PRELUDE}  (memory (export \"memory\") {pages})\n{data}  (func (export \"_start\") (local $n i32) (local $e i32)\n{body}))\n"
        )
    }
}

/// Gives a guest that does one thing for ever.
pub(crate) fn forever(pages: u32, code: &str) -> String {
    let mut guest = Guest::new().pages(pages);
    guest.then(format!("(loop $again {code} (br $again))"));
    guest.finish()
}
