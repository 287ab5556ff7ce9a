// Package backupapi answers for backups: what there is, and one more now.
package backupapi
