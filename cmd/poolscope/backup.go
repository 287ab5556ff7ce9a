package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/poolscope/poolscope/internal/app"
	"github.com/poolscope/poolscope/internal/backup"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/format"
)

type backupCommand struct {
	Run     backupRunCommand     `cmd:"" help:"Make a backup now; the pool may run."`
	List    backupListCommand    `cmd:"" help:"List backups, the newest first."`
	Restore backupRestoreCommand `cmd:"" help:"Put a backup in the place of what the data folder holds. The pool must not run; what is replaced is moved aside."`
}

// backupFlags name what is backed up and where to.
type backupFlags struct {
	Config  string `help:"Configuration file of the pool." type:"path" placeholder:"FILE"`
	DataDir string `help:"Data folder of the pool (data)." placeholder:"DIR"`
}

// load reads the configuration in the way that the pool does.
func (f *backupFlags) load() (*config.Config, error) {
	var flags []config.Flag
	if f.DataDir != "" {
		flags = append(flags, config.Flag{Name: "--data-dir", Key: "data_dir", Value: f.DataDir})
	}
	return config.Load(f.Config, flags...)
}

// mine refuses to write into another user's data folder as root: the pool could not
// read what is left there.
func mine(cfg *config.Config) error {
	if owner, ok := files.ForRootOnly(cfg.DataDir); ok {
		return fmt.Errorf("%s belongs to the user %s, who could not use what root writes there; run this as that user: sudo -u %s poolscope backup …", cfg.DataDir, owner, owner)
	}
	return nil
}

type backupRunCommand struct {
	backupFlags `embed:""`
}

// Run makes one backup.
func (c *backupRunCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := env.logger("warn", "text")
	if err != nil {
		return err
	}
	if _, err := os.Stat(cfg.DatabasePath()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database at %s: is this the pool's configuration and data folder?", cfg.DatabasePath())
	}
	if err := mine(cfg); err != nil {
		return err
	}
	service, targets, err := app.Backups(cfg, env.build, log)
	if err != nil {
		return err
	}
	name, err := service.Make(env.ctx)
	if errors.Is(err, backup.ErrRunning) {
		return errors.New("the pool is making a backup at this moment; poolscope backup list shows it soon")
	}
	if name != "" {
		for i, t := range service.Status().Targets {
			if t.LastError == "" {
				fmt.Fprintf(env.stdout, "%s: %s, stored and verified\n", targets[i].Location(), name)
			}
		}
	}
	return err
}

type backupListCommand struct {
	backupFlags `embed:""`
	JSON        bool `name:"json" help:"JSON for programs."`
}

// listed is one line of poolscope backup list --json.
type listed struct {
	Name       string              `json:"name"`
	Target     string              `json:"target"`
	At         time.Time           `json:"at"`
	Bytes      int64               `json:"bytes"`
	Encrypted  bool                `json:"encrypted"`
	Verified   bool                `json:"verified"`
	Generation []backup.Generation `json:"generation"`
}

// Run lists what there is.
func (c *backupListCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := env.logger("warn", "text")
	if err != nil {
		return err
	}
	service, targets, err := app.Backups(cfg, env.build, log)
	if err != nil {
		return err
	}
	all, err := service.List(env.ctx)
	if c.JSON {
		lines := []listed{}
		for _, b := range all {
			lines = append(lines, listed{b.Name, b.Target, b.At, b.Bytes, b.Encrypted, b.Verified, append([]backup.Generation{}, b.Kept...)})
		}
		out := json.NewEncoder(env.stdout)
		out.SetIndent("", "  ")
		return errors.Join(err, out.Encode(lines))
	}
	if len(all) == 0 && err == nil {
		for _, t := range targets {
			fmt.Fprintf(env.stdout, "no backups at %s\n", t.Location())
		}
		return nil
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tTARGET\tAGE\tSIZE\tVERIFIED\tKEPT AS")
	for _, b := range all {
		kept := "may go"
		if len(b.Kept) > 0 {
			kept = join(b.Kept)
		}
		verified := "yes"
		if !b.Verified {
			verified, kept = "no", "incomplete"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", b.Name, b.Target, format.Ago(time.Since(b.At).Seconds()), sizeText(b.Bytes), verified, kept)
	}
	return errors.Join(table.Flush(), err)
}

// sizeText is a number of bytes for people.
func sizeText(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}

func join(generations []backup.Generation) string {
	var words []string
	for _, g := range generations {
		words = append(words, string(g))
	}
	return strings.Join(words, ", ")
}

type backupRestoreCommand struct {
	backupFlags `embed:""`
	Backup      string `arg:"" optional:"" help:"Name of a backup as list shows it, or an archive's file. Left out: the newest verified one." placeholder:"NAME|FILE"`
	Target      string `help:"Where to take it from: local or s3. Left out: the first that has it." enum:",local,s3" default:""`
	KeyFile     string `help:"File with the passphrase or secret key, when it is not the one in the configuration." type:"path" placeholder:"FILE"`
	Check       bool   `help:"Only check that the backup can be restored; touch nothing."`
	Yes         bool   `help:"Do not ask."`
}

// Run restores, or checks, one backup.
func (c *backupRestoreCommand) Run(env *environment) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	key, err := c.key(cfg)
	if err != nil {
		return err
	}
	log, err := env.logger("warn", "text")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return err
	}
	if err := mine(cfg); err != nil {
		return err
	}
	source, err := c.find(env, cfg, func() ([]backup.Backup, []backup.Target, error) {
		service, targets, err := app.Backups(cfg, env.build, log)
		if err != nil {
			return nil, nil, err
		}
		all, err := service.List(env.ctx)
		return all, targets, err
	})
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it was only read
	if c.Check {
		return c.check(env, cfg, source, key)
	}
	order := app.Restore{Config: cfg, Archive: source, Key: key, Now: time.Now()}
	if !c.Yes {
		order.Confirm = func(m *backup.Manifest) bool {
			return confirmed(env, os.Stdin, fmt.Sprintf("Put the backup of %s in the place of what %s holds? What is there is moved aside. [y/N] ", m.MadeAt.Format(time.RFC3339), cfg.DataDir))
		}
	}
	done, err := app.RestoreBackup(env.ctx, order)
	switch {
	case errors.Is(err, app.ErrNotRestored):
		return app.ErrNotRestored
	case errors.Is(err, backup.ErrRunning):
		return errors.New("a backup of this folder is being made at this moment; try again when it is done")
	}
	if done != nil {
		for _, path := range done.Files {
			fmt.Fprintln(env.stdout, "restored", path)
		}
		if done.Aside != "" {
			fmt.Fprintln(env.stdout, "what was there before is in", done.Aside)
		}
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", source.name, err)
	}
	fmt.Fprintf(env.stdout, "The books are those of %s, made by poolscope %s.\n", done.Manifest.MadeAt.Format(time.RFC3339), done.Manifest.Version)
	return nil
}

// key is what encrypted archives are opened with.
func (c *backupRestoreCommand) key(cfg *config.Config) (backup.Key, error) {
	text := cfg.Backup.Key.Reveal()
	if c.KeyFile != "" {
		data, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return backup.Key{}, err
		}
		text = strings.TrimRight(string(data), "\r\n")
	}
	return backup.ParseKey(text)
}

// archive is one that was found.
type archive struct {
	io.ReadCloser
	name string
}

// find opens the archive that the person means.
func (c *backupRestoreCommand) find(env *environment, cfg *config.Config, list func() ([]backup.Backup, []backup.Target, error)) (*archive, error) {
	if info, err := os.Stat(c.Backup); c.Backup != "" && err == nil && info.Mode().IsRegular() {
		f, err := os.Open(c.Backup)
		if err != nil {
			return nil, err
		}
		return &archive{f, c.Backup}, nil
	}
	all, targets, listErr := list()
	secret := cfg.Backup.Key.IsSet()
	i := slices.IndexFunc(all, func(b backup.Backup) bool {
		// With a key, one without encryption may be anybody's who can write there.
		return (c.Target == "" || b.Target == c.Target) && (c.Backup == b.Name || c.Backup == "" && b.Verified && (b.Encrypted || !secret))
	})
	if i < 0 {
		why := errors.New("no such backup; poolscope backup list shows those that there are")
		if c.Backup == "" && secret {
			why = errors.New("there is no verified and encrypted backup; name the one that you mean, as poolscope backup list shows it")
		}
		return nil, errors.Join(why, listErr)
	}
	if listErr != nil && c.Target == "" && c.Backup == "" {
		fmt.Fprintf(env.stderr, "There may be newer backups elsewhere, which could not be listed: %v\n", listErr)
	}
	if secret && !all[i].Encrypted {
		fmt.Fprintf(env.stderr, "%s is not encrypted, although backup.key is set: whoever can write to %s can have made it.\n", all[i].Name, all[i].Target)
	}
	for _, t := range targets {
		if t.Name() != all[i].Target {
			continue
		}
		r, verified, err := backup.Fetch(env.ctx, t, all[i], cfg.DataDir)
		if err != nil {
			return nil, err
		}
		if !verified {
			fmt.Fprintf(env.stderr, "%s was never verified; its content is checked now.\n", all[i].Name)
		}
		return &archive{r, all[i].Name}, nil
	}
	return nil, backup.ErrNotFound
}

// check unpacks an archive into a folder that is removed again.
func (c *backupRestoreCommand) check(env *environment, cfg *config.Config, source *archive, key backup.Key) error {
	manifest, err := app.CheckBackup(env.ctx, app.Restore{Config: cfg, Archive: source, Key: key, Now: time.Now()})
	if err != nil {
		return fmt.Errorf("%s cannot be restored: %w", source.name, err)
	}
	fmt.Fprintf(env.stdout, "%s of %s, made by poolscope %s, can be restored. It holds:\n", source.name, manifest.MadeAt.Format(time.RFC3339), manifest.Version)
	for _, f := range manifest.Files {
		fmt.Fprintf(env.stdout, "  %s, %s\n", f.Name, sizeText(f.Bytes))
	}
	return nil
}

// confirmed asks a question; only y and yes are yes.
func confirmed(env *environment, in io.Reader, question string) bool {
	fmt.Fprint(env.stdout, question)
	ctx, cancel := context.WithCancel(env.ctx)
	defer cancel()
	answer := make(chan string, 1)
	go func() {
		var line string
		_, _ = fmt.Fscanln(in, &line) // no answer is no
		answer <- line
	}()
	select {
	case line := <-answer:
		return strings.EqualFold(line, "y") || strings.EqualFold(line, "yes")
	case <-ctx.Done():
		return false
	}
}
