package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Backup is section [backup].
type Backup struct {
	// Time between two backups. "": none but those that are asked for (poolscope
	// backup run).
	Every time.Duration `toml:"every" reload:"restart"`

	// Folder for backups on this machine; best on another disk. Empty: backups in
	// data_dir.
	Dir string `toml:"dir" reload:"restart"`

	// Number of the newest backups that are kept in any case.
	KeepLast int `toml:"keep_last" reload:"restart"`

	// Days for which the newest backup of each is kept.
	KeepDaily int `toml:"keep_daily" reload:"restart"`

	// Weeks for which the newest backup of each is kept.
	KeepWeekly int `toml:"keep_weekly" reload:"restart"`

	// Months for which the newest backup of each is kept.
	KeepMonthly int `toml:"keep_monthly" reload:"restart"`

	// What backups are encrypted with (age): a passphrase of 12 characters or more,
	// a secret key AGE-SECRET-KEY-1…, or a public key age1…, with which this machine
	// cannot read its own backups. Keep it somewhere else, too. Empty: they are
	// not encrypted, and hold no keys and settings.
	Key Secret `toml:"key" reload:"restart"`

	// File with the key, instead of writing it here.
	KeyFile string `toml:"key_file" reload:"restart"`

	// S3-compatible storage that backups are also sent to, such as
	// https://s3.eu-central-003.backblazeb2.com. Empty: none.
	S3Endpoint string `toml:"s3_endpoint" reload:"restart"`

	// Its region. Empty: the storage is asked.
	S3Region string `toml:"s3_region" reload:"restart"`

	// The bucket. It must exist.
	S3Bucket string `toml:"s3_bucket" reload:"restart"`

	// What comes before the names of files in the bucket, such as "pool/". Every
	// pool needs one of its own.
	S3Prefix string `toml:"s3_prefix" reload:"restart"`

	// Access key id; keyID at Backblaze.
	S3AccessKey string `toml:"s3_access_key" reload:"restart"`

	// Secret access key; applicationKey at Backblaze.
	S3SecretKey Secret `toml:"s3_secret_key" reload:"restart"`

	// File with the secret access key, instead of writing it here.
	S3SecretKeyFile string `toml:"s3_secret_key_file" reload:"restart"`

	// Put the bucket into the path of addresses, not into the host's name, as
	// storages of one's own often need.
	S3PathStyle bool `toml:"s3_path_style" reload:"restart"`
}

// bucketName is what S3 allows as the name of a bucket; its finer rules are the
// storage's.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// minBackupKey is the least length of a passphrase; see backup.ParseKey.
const minBackupKey = 12

// backup checks section [backup].
func (v *validator) backup() {
	b := &v.config.Backup
	if b.Every != 0 && b.Every < 10*time.Minute {
		v.complain("backup.every", `must be at least 10m, or "" for none`)
	}
	for _, k := range []struct {
		key  string
		n    int
		most int
	}{{"backup.keep_last", b.KeepLast, 1000}, {"backup.keep_daily", b.KeepDaily, 1000}, {"backup.keep_weekly", b.KeepWeekly, 1000}, {"backup.keep_monthly", b.KeepMonthly, 1000}} {
		if k.n < 0 || k.n > k.most {
			v.complain(k.key, "must be from 0 to %d", k.most)
		}
	}
	if key := strings.TrimSpace(b.Key.Reveal()); b.Key.IsSet() && len(key) < minBackupKey {
		v.complain("backup.key", "must have at least %d characters", minBackupKey)
	}
	v.s3()
}

// s3 checks the keys of [backup] that name a bucket.
func (v *validator) s3() {
	b := &v.config.Backup
	if b.S3Endpoint == "" {
		return
	}
	if u, err := url.Parse(b.S3Endpoint); err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		v.complain("backup.s3_endpoint", "%q must be like https://s3.example.com", b.S3Endpoint)
	}
	switch {
	case b.S3Bucket == "":
		v.complainSince("backup.s3_bucket", "backup.s3_endpoint", "must name the bucket when s3_endpoint is set")
	case !bucketName.MatchString(b.S3Bucket):
		v.complain("backup.s3_bucket", "%q is no name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens", b.S3Bucket)
	}
	if b.S3AccessKey == "" {
		v.complainSince("backup.s3_access_key", "backup.s3_endpoint", "must be set when s3_endpoint is set (keyID at Backblaze)")
	}
	if !b.S3SecretKey.IsSet() {
		v.complainSince("backup.s3_secret_key", "backup.s3_endpoint", "or s3_secret_key_file must be set when s3_endpoint is set (applicationKey at Backblaze)")
	}
}

// backupWarnings are remarks on section [backup].
func (c *Config) backupWarnings() []string {
	if c.Backup.S3Endpoint != "" && !c.Backup.Key.IsSet() {
		return []string{"backups go to backup.s3_endpoint without encryption: who can read the bucket can read names, addresses and channels of people; set backup.key"}
	}
	return nil
}

// BackupDir is the folder of local backups: backup.dir, or backups in the data
// folder.
func (c *Config) BackupDir() string {
	if c.Backup.Dir != "" {
		return c.Backup.Dir
	}
	return filepath.Join(c.DataDir, "backups")
}

// File is the path of the configuration file, "" without one.
func (c *Config) File() string { return c.file }
