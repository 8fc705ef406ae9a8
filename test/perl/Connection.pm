# A connection to a server of a test, by the wire protocol: many of them cost one process nothing, and a query may be sent now and answered later.

package Connection;

use strict;
use warnings;

use IO::Socket::UNIX;
use Socket qw(MSG_NOSIGNAL);

# Connects as the tests' role, or as another (user => ...), by trust.
sub new
{
	my ($class, $node, %options) = @_;
	my $path = $node->host . '/.s.PGSQL.' . $node->port;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "cannot connect to $path: $!";
	my $user = $options{user} // getpwuid($<);
	my $parameters = join('', map { "$_\0" } 'user', $user, 'database', $options{dbname} // 'postgres') . "\0";
	my $self = bless { socket => $socket, buffer => '' }, $class;
	$self->put(pack('NN', length($parameters) + 8, 196608) . $parameters);
	my $answer = $self->finish;
	die $answer->{error} if defined $answer->{error};
	return $self;
}

# The server's process.
sub pid { return $_[0]->{pid} }

# Writes; that a server is gone shows when its answer is read.
sub put
{
	my ($self, $bytes) = @_;
	CORE::send($self->{socket}, $bytes, MSG_NOSIGNAL);
	return;
}

# The next message: its type and its body; an end of the stream is a message, too.
sub message
{
	my ($self) = @_;
	while (length($self->{buffer}) < 5 || length($self->{buffer}) < 1 + unpack('N', substr($self->{buffer}, 1, 4)))
	{
		sysread($self->{socket}, $self->{buffer}, 65536, length($self->{buffer})) or return ('end', '');
	}
	my ($type, $length) = unpack('a1N', $self->{buffer});
	my $body = substr($self->{buffer}, 5, $length - 4);
	substr($self->{buffer}, 0, 1 + $length) = '';
	return ($type, $body);
}

# Sends a query.
sub send
{
	my ($self, $query) = @_;
	$self->put('Q' . pack('N', length($query) + 5) . $query . "\0");
	return;
}

# Waits for the answer: its rows as psql -At prints them, and the error, if there is one.
sub finish
{
	my ($self) = @_;
	my @rows;
	my $error;
	while (1)
	{
		my ($type, $body) = $self->message;
		if ($type eq 'Z') { last }
		elsif ($type eq 'end') { $error //= 'the server closed the connection'; last }
		elsif ($type eq 'K') { $self->{pid} = unpack('N', $body) }
		elsif ($type eq 'E') { $error = join(' ', map { substr($_, 1) } grep { /^[CM]/ } split(/\0/, $body)) }
		elsif ($type eq 'D')
		{
			my ($n, $rest) = unpack('na*', $body);
			my @values;
			for (1 .. $n)
			{
				(my $length, $rest) = unpack('Na*', $rest);
				my $is_null = $length == 0xffffffff;
				push @values, $is_null ? '' : substr($rest, 0, $length);
				$rest = substr($rest, $length) unless $is_null;
			}
			push @rows, join('|', @values);
		}
	}
	return { rows => join("\n", @rows), error => $error };
}

# Sends a query and waits for its rows; an error is one of the test.
sub query
{
	my ($self, $query) = @_;
	$self->send($query);
	my $answer = $self->finish;
	die "$query: $answer->{error}" if defined $answer->{error};
	return $answer->{rows};
}

# Ends the connection.
sub close
{
	my ($self) = @_;
	$self->put('X' . pack('N', 4));
	CORE::close($self->{socket});
	return;
}

1;
