package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/scopeapi"
	"github.com/poolscope/poolscope/internal/backup"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Names of what an archive holds, besides those that files have in the data
// folder.
const (
	booksMember    = "poolscope.db"
	settingsMember = "config.toml"
	blocksMember   = "blocks/"
	// backupWork is the folder in the data folder that archives are made in.
	backupWork = "backup-work"
	// restoredSettings is the file in the data folder that settings are restored
	// to: the one in force may be anywhere, and is nobody's to overwrite.
	restoredSettings = "restored-config.toml"
)

// secretFiles are files of the data folder that only encrypted archives hold.
func secretFiles() []string {
	return []string{"tls_cert.pem", "tls_key.pem", scopeapi.TokenFile, fleetKeyFile}
}

// newBackups makes the service that backs up what a configuration names.
// failed may be nil.
func newBackups(cfg *config.Config, build telemetry.Build, failed func(target string, err error), log *slog.Logger) (*backup.Service, error) {
	b := &cfg.Backup
	key, err := backup.ParseKey(b.Key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("backup.key: %w", err)
	}
	targets, err := backupTargets(cfg)
	if err != nil {
		return nil, err
	}
	return backup.New(backup.Config{
		Every:    b.Every,
		Keep:     backup.Keep{Last: b.KeepLast, Daily: b.KeepDaily, Weekly: b.KeepWeekly, Monthly: b.KeepMonthly},
		Key:      key,
		WorkDir:  filepath.Join(cfg.DataDir, backupWork),
		Targets:  targets,
		Items:    func() []backup.Item { return backupItems(cfg) },
		Snapshot: store.Snapshot,
		Version:  build.Version,
		Failed:   failed,
	}, log.With("part", "backup")), nil
}

// backupTargets are the places that archives are kept in.
func backupTargets(cfg *config.Config) ([]backup.Target, error) {
	targets := []backup.Target{backup.NewLocal(cfg.BackupDir())}
	if b := &cfg.Backup; b.S3Endpoint != "" {
		s3, err := backup.NewS3(backup.S3Config{
			Endpoint: b.S3Endpoint, Region: b.S3Region, Bucket: b.S3Bucket, Prefix: b.S3Prefix,
			AccessKey: b.S3AccessKey, SecretKey: b.S3SecretKey.Reveal(), PathStyle: b.S3PathStyle,
		})
		if err != nil {
			return nil, err
		}
		targets = append(targets, s3)
	}
	return targets, nil
}

// backupItems lists what goes into an archive now.
func backupItems(cfg *config.Config) []backup.Item {
	items := []backup.Item{
		{Name: booksMember, Path: cfg.DatabasePath(), Database: true},
		{Name: fleetStore, Path: filepath.Join(cfg.DataDir, fleetStore), Database: true},
	}
	blocks, _ := os.ReadDir(filepath.Join(cfg.DataDir, "blocks")) // a pool that has found none has no such folder
	for _, b := range blocks {
		if b.Type().IsRegular() && !strings.HasSuffix(b.Name(), ".tmp") {
			items = append(items, backup.Item{Name: blocksMember + b.Name(), Path: filepath.Join(cfg.DataDir, "blocks", b.Name())})
		}
	}
	for _, name := range secretFiles() {
		items = append(items, backup.Item{Name: name, Path: filepath.Join(cfg.DataDir, name), Secret: true})
	}
	if file := cfg.File(); file != "" {
		items = append(items, backup.Item{Name: settingsMember, Path: file, Secret: true})
	}
	return items
}

// backupPlaces are where the members of an archive go.
func backupPlaces(cfg *config.Config) []backup.Place {
	places := []backup.Place{
		{Name: booksMember, Path: cfg.DatabasePath(), Database: true},
		{Name: fleetStore, Path: filepath.Join(cfg.DataDir, fleetStore), Database: true},
		// A block that waits for its answer is not forgotten because of an old backup.
		{Name: blocksMember, Path: filepath.Join(cfg.DataDir, "blocks"), Add: true},
		{Name: settingsMember, Path: filepath.Join(cfg.DataDir, restoredSettings)},
	}
	for _, name := range secretFiles() {
		places = append(places, backup.Place{Name: name, Path: filepath.Join(cfg.DataDir, name)})
	}
	return places
}

// backupFigures are what backups count, for /metrics.
func backupFigures(s *backup.Service) func() []api.Figure {
	return func() []api.Figure {
		var figures []api.Figure
		add := func(name, help, target string, n float64, counter bool) {
			figures = append(figures, api.Figure{Name: "backup_" + name, Help: help, Label: "target", Value: target, Number: n, Counter: counter})
		}
		for _, t := range s.Status().Targets {
			last := 0.0
			if !t.LastSuccess.IsZero() {
				last = float64(t.LastSuccess.Unix())
			}
			add("last_success_timestamp_seconds", "When the last verified backup was made; 0: never, or not known yet.", t.Name, last, false)
			add("made_total", "Backups that were stored and verified.", t.Name, float64(t.OK), true)
			add("failed_total", "Attempts that failed.", t.Name, float64(t.Failed), true)
		}
		return figures
	}
}

// Backups gives the command line what a configuration's backups are.
func Backups(cfg *config.Config, build telemetry.Build, log *slog.Logger) (*backup.Service, []backup.Target, error) {
	s, err := newBackups(cfg, build, nil, log)
	if err != nil {
		return nil, nil, err
	}
	targets, err := backupTargets(cfg)
	return s, targets, err
}
