// Package backup keeps copies of what a pool must not lose: its books and
// accounts, found blocks, and, when they are encrypted, its keys and settings.
//
//	databases ── consistent copies, while the pool runs ──▶ tar ▶ zstd ▶ age ──▶ a folder, an S3 bucket
//
// An archive is one file, poolscope-TIME.tar.zst, with .age at the end when it
// is encrypted (the age format, version 1, age-encryption.org/v1). Its first
// member, manifest.json, tells the size and SHA-256 of all others. Beside it
// lies NAME.sha256, in the form of sha256sum(1), written once the archive was
// read back from where it is kept and found the same: who has no such file has
// not been verified, and is no generation.
//
// What is kept is the newest ones, and the newest of each of some days, weeks
// and months. Files that do not have the name of an archive are never touched.
package backup
