# shellcheck shell=bash
# What scripts/demo and scripts/test share: packages, the server to build for, a temporary cluster.
# To be sourced by bash.  A failed command ends the script that sources it.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

die()
{
	echo "error: $*" >&2
	exit 1
}

# Runs a command as root: as we are, or by sudo.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root: $*"
	fi
}

# Runs a command as a role of the operating system that may run a server: PostgreSQL refuses root.
as_server()
{
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# Installs Debian packages that are missing, quietly; $@: their names.
install_packages()
{
	local missing=() package
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "installing ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >"$log_dir/apt.log" 2>&1 ||
		{ tail -20 "$log_dir/apt.log" >&2; die "apt-get could not install ${missing[*]}"; }
}

# The major version of PostgreSQL that PG_CONFIG names, or else that Debian brings.
postgresql_major()
{
	if [ -n "${PG_CONFIG:-}" ] || { command -v pg_config >/dev/null && [ -f "$(pg_config --pgxs)" ]; }; then
		"${PG_CONFIG:-pg_config}" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/'
	else
		apt-cache show postgresql 2>/dev/null | sed -n 's/^Version: \([0-9]*\)+.*/\1/p' | head -1
	fi
}

# Installs what a build (build) or the tests (test) need, and sets pg_config, bin_dir and PATH.
prepare()
{
	local major
	command -v apt-get >/dev/null || die "this script installs what it needs by apt-get (Debian, Ubuntu); elsewhere use make, see README.md"
	major=$(postgresql_major)
	if [ -z "$major" ]; then
		as_root apt-get update -q >"$log_dir/apt.log" 2>&1 || { tail -20 "$log_dir/apt.log" >&2; die "apt-get update failed"; }
		major=$(postgresql_major)
	fi
	[ -n "$major" ] || die "no PostgreSQL among the packages of this system"
	local packages=("postgresql-$major" "postgresql-server-dev-$major" gcc make libc6-dev libopenblas-dev)
	if [ "$1" = test ]; then
		packages+=("postgresql-$major-pgtap" libtap-parser-sourcehandler-pgtap-perl libipc-run-perl perl pgbouncer clang llvm libclang-rt-dev)
	fi
	[ -n "$(apt-cache search -n '^make$')" ] || as_root apt-get update -q >"$log_dir/apt.log" 2>&1
	install_packages "${packages[@]}"
	pg_config=${PG_CONFIG:-/usr/lib/postgresql/$major/bin/pg_config}
	bin_dir=$("$pg_config" --bindir)
	PATH=$bin_dir:$PATH
}

# Builds and installs for pg_config; output goes to a log that is shown where it fails.  $@: more for make.
build_and_install()
{
	make -s -j"$(nproc)" PG_CONFIG="$pg_config" "$@" >"$log_dir/build.log" 2>&1 || { tail -40 "$log_dir/build.log" >&2; return 1; }
	if [ -w "$("$pg_config" --pkglibdir)" ]; then
		make -s PG_CONFIG="$pg_config" "$@" install
	else
		as_root make -s PG_CONFIG="$pg_config" "$@" install
	fi >"$log_dir/install.log" 2>&1 || { tail -40 "$log_dir/install.log" >&2; return 1; }
}

# Starts a cluster of its own in a new directory, reachable by a socket there and only by this user; sets cluster and PGHOST, PGUSER.
start_cluster()
{
	cluster=$(mktemp -d "${TMPDIR:-/tmp}/mlops-$1.XXXXXX")
	[ "$(id -u)" != 0 ] || chown postgres: "$cluster"
	as_server "$bin_dir/initdb" -D "$cluster/data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 >"$log_dir/initdb.log" 2>&1 ||
		{ tail -20 "$log_dir/initdb.log" >&2; die "initdb failed"; }
	as_server tee -a "$cluster/data/postgresql.conf" >/dev/null <<-END
		listen_addresses = ''
		unix_socket_directories = '$cluster'
		fsync = off
	END
	as_server "$bin_dir/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w start >"$log_dir/start.log" 2>&1 ||
		{ tail -20 "$cluster/log" >&2; die "the server did not start"; }
	export PGHOST=$cluster PGUSER=postgres PGPORT=5432
	unset PGDATABASE PGPASSWORD PGSERVICE
}

# Stops the cluster in a directory that start_cluster made, and removes it.
stop_cluster()
{
	[ -d "$1/data" ] || return 0
	as_server "$bin_dir/pg_ctl" -D "$1/data" -m immediate -w stop >/dev/null 2>&1 || true
	rm -rf "$1"
}

log_dir=$(mktemp -d "${TMPDIR:-/tmp}/mlops-logs.XXXXXX")
