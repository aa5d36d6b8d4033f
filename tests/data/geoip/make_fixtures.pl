#!/usr/bin/env perl
# Writes the small MMDB files of this folder into the folder given as argument (default: beside this script).
# Needs Debian's libmaxmind-db-writer-perl. The same bytes at every run: build times are fixed.
use strict;
use warnings;
use utf8;

use File::Basename qw( dirname );
use MaxMind::DB::Writer::Tree;
use Time::Local qw( timegm );

my $folder = shift // dirname(__FILE__);

my %types = (
    accuracy_radius => 'uint16', autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string',
    city => 'map', continent => 'map', country => 'map', geoname_id => 'uint32', is_in_european_union => 'boolean',
    latitude => 'double', location => 'map', longitude => 'double', names => 'map', registered_country => 'map',
);

# A country as MaxMind writes it. The first argument is its code.
my %countries = (
    AU => 'Australia',     BD => 'Bangladesh', BR => 'Brazil', CH => 'Switzerland', MU => 'Mauritius',
    NL => 'Netherlands',   US => 'United States', UY => 'Uruguay',
);
sub country {
    my ($code) = @_;
    return { iso_code => $code, names => { en => $countries{$code}, de => "$countries{$code} (de)" } };
}

# A whole City record: country and registered country, and the city where there is one.
sub place {
    my ( $code, $city ) = @_;
    my $record = { country => country($code), registered_country => country($code) };
    $record->{city} = { geoname_id => 1, names => { en => $city } } if defined $city;
    $record->{location} = { latitude => 1.5, longitude => 2.5, accuracy_radius => 20 };
    return $record;
}

sub network {
    my ( $number, $organization ) = @_;
    my $record = { autonomous_system_number => $number };
    $record->{autonomous_system_organization} = $organization if defined $organization;
    return $record;
}

sub write_database {
    my ( $type, $built, $options, @rows ) = @_;
    my $tree = MaxMind::DB::Writer::Tree->new(
        database_type            => $type,
        description              => { en => "Test data of cloudflare-analytics-monitor in the form of $type" },
        languages                => ['en'],
        ip_version               => $options->{ip_version} // 6,
        record_size              => $options->{record_size} // 24,
        remove_reserved_networks => 0,
        map_key_type_callback    => sub { return $types{ $_[0] } // 'utf8_string' },
        _build_epoch             => $built,
    );
    $tree->insert_network(@$_) for @rows;
    my $path = "$folder/$type.mmdb";
    open my $file, '>:raw', $path or die "$path: $!";
    $tree->write_tree($file);
    close $file or die "$path: $!";
}

my @cities = (
    [ '103.118.76.0/24',   place( 'BD', 'Pābna' ) ],
    [ '45.227.254.0/24',   place('BR') ],
    [ '8.8.8.0/24',        place( 'US', 'Mountain View' ) ],
    [ '2001:4860::/32',    place('US') ],
    [ '185.54.80.0/22',    place( 'CH', 'Stabio' ) ],
    [ '2a02:4460::/32',    place('CH') ],
    [ '193.0.6.0/24',      place( 'NL', 'Amsterdam' ) ],
    [ '2001:67c:2e8::/48', place( 'NL', 'Amsterdam' ) ],
    [ '202.12.29.0/24',    place( 'AU', 'South Brisbane' ) ],
    [ '196.216.2.0/24',    place( 'MU', 'Ebene' ) ],
    [ '200.3.14.0/24',     place( 'UY', 'Montevideo' ) ],
    # Forms a reader must bear: a hostile city, no country but a registered one, a name in no English, an empty name
    [ '192.31.196.0/24',   place( 'US', 'San_José *del* [Sur](x) `1`' ) ],
    [ '192.175.48.0/26',   { registered_country => country('US') } ],
    [ '192.175.48.64/26',  { country => { iso_code => 'CH', names => { de => 'Schweiz' } },
                             city => { names => { de => 'Zürich' } }, registered_country => country('US') } ],
    [ '192.175.48.128/26', { country => country('CH'), city => { names => { en => q{} } } } ],
    [ '192.175.48.192/26', { location => { latitude => 1.5, longitude => 2.5 } } ],
);

my @networks = (
    [ '103.118.76.0/24',   network( 137959, 'Vision Technologies Ltd.' ) ],
    [ '45.227.254.0/24',   network( 270523, 'Rede Exemplo Telecom LTDA' ) ],
    [ '8.8.8.0/24',        network( 15169,  'GOOGLE' ) ],
    [ '2001:4860::/32',    network( 15169,  'GOOGLE' ) ],
    [ '193.0.6.0/24',      network( 3333,   'RIPE NCC' ) ],
    [ '2001:67c:2e8::/48', network( 3333,   'RIPE NCC' ) ],
    [ '202.12.29.0/24',    network( 4608,   'APNIC' ) ],
    [ '196.216.2.0/24',    network( 33764,  'AFRINIC' ) ],
    [ '200.3.14.0/24',     network( 28000,  'LACNIC' ) ],
    [ '192.175.48.0/24',   network( 4294967294 ) ],
);

# Organisation names that break messages (real ones among them), one /28 of 192.31.196.0/24 each.
my @hostile = (
    'MEGAHOST_', 'AS_ATUAXANELA', 'CDN77 _', 'CYBER_FOLKS-RO-DC_CLJ', '*' x 39, 'AT&T Enterprises, LLC',
    'NETBITS & GOBLE LTDA', '1&1 Mail & Media', '-Reserved AS-', 'AS', 'a3f5c1e07b9d2468ace013579bdf2468ace01357',
    'Back`tick [Net](http://x) \\', '<b>Bold</b> & "Söhne" GmbH', 'TELEFONICA_DE_ESPANA', 'Ünïcödé 網絡 🚀', 'W' x 300,
);
push @networks, [ sprintf( '192.31.196.%d/28', 16 * $_ ), network( 64496 + $_, $hostile[$_] ) ] for 0 .. $#hostile;

my $midnight = sub { return timegm( 0, 0, 0, $_[0], $_[1] - 1, $_[2] ) };
write_database( 'GeoIP2-City',   $midnight->( 20, 1, 2026 ), { record_size => 28 }, @cities );
write_database( 'GeoLite2-City', $midnight->( 16, 1, 2026 ), {},                    @cities[ 0 .. 4 ] );
write_database( 'GeoIP2-ASN',    $midnight->( 18, 1, 2026 ), {},                    @networks[ 0 .. 9 ] );
write_database( 'GeoLite2-ASN',  $midnight->( 19, 1, 2026 ), {},                    @networks );
write_database(
    'GeoLite2-Country', $midnight->( 15, 1, 2026 ), { ip_version => 4, record_size => 32 },
    map { [ $_->[0], { country => $_->[1]{country}, registered_country => $_->[1]{registered_country} } ] }
        @cities[ 0 .. 2 ],
);
