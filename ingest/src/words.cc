#include "words.h"

#include <array>

namespace tailrace::ingest {
namespace {

using std::string_view;

// Generated posts follow these lists: changing one changes every stream.
constexpr auto kEnglish = std::to_array<string_view>(
    {"morning",  "coffee",   "the",     "bridge",   "is",      "closed",  "again",    "we",       "walked",  "along",
     "river",    "and",      "found",   "a",        "bakery",  "that",    "opened",   "yesterday", "great",  "music",
     "tonight",  "downtown", "people",  "waiting",  "for",     "train",   "weather",  "turned",   "cold",    "but",
     "market",   "stayed",   "busy",    "my",       "team",    "won",     "third",    "game",     "in",      "row",
     "anyone",   "knows",    "where",   "to",       "buy",     "fresh",   "bread",    "near",     "station", "thanks",
     "neighbours", "helped", "moving",  "boxes",    "snow",    "expected", "weekend", "traffic",  "moves",   "slowly",
     "don't",    "miss",     "it",      "library",  "garden",  "concert", "really",   "beautiful", "light",  "over",
     "harbour",  "dinner",   "friends", "new",      "exhibition", "worth", "every",   "minute",   "so",      "proud"});
constexpr auto kFrench = std::to_array<string_view>(
    {"ce",      "matin",   "le",      "marché",  "était",   "plein",   "et",       "nous",    "avons",   "trouvé",
     "une",     "boulangerie", "près", "du",     "métro",   "quelle",  "journée",  "magnifique", "la",   "neige",
     "arrive",  "demain",  "je",      "cherche", "un",      "bon",     "café",     "dans",    "quartier", "merci",
     "à",       "tous",    "mes",     "amis",    "pour",    "cette",   "soirée",   "l'équipe", "gagne",  "encore",
     "très",    "fière",   "de",      "notre",   "ville",   "fête",    "musique",  "été",     "hiver",   "fenêtre",
     "théâtre", "déjà",    "bientôt", "voilà",   "pont",    "fermé",   "rivière",  "lumière", "où",      "ça"});
constexpr auto kSpanish = std::to_array<string_view>(
    {"esta",   "mañana",  "el",      "mercado", "abrió",   "temprano", "y",      "encontramos", "pan",  "fresco",
     "qué",    "día",     "tan",     "bonito",  "la",      "música",  "del",     "barrio",  "suena",   "fuerte",
     "gracias", "a",      "todos",   "los",     "amigos",  "por",     "venir",   "nuestro", "equipo",  "ganó",
     "otra",   "vez",     "busco",   "un",      "café",    "cerca",   "de",      "estación", "corazón", "niños",
     "lluvia", "tráfico", "lento",   "puente",  "cerrado", "hasta",   "mañana",  "sueño",   "playa",   "también"});
constexpr auto kDutch = std::to_array<string_view>(
    {"vanochtend", "was", "de",      "markt",   "druk",    "en",      "we",      "vonden",  "een",     "goede",
     "bakker",  "naast",  "het",     "station", "wat",     "mooi",    "weer",    "vandaag", "muziek",  "in",
     "buurt",   "dank",   "aan",     "alle",    "vrienden", "brug",   "is",      "dicht",   "trein",   "vertraagd",
     "ons",     "team",   "wint",    "alweer",  "fietsen", "langs",   "gracht",  "koffie",  "met",     "uitzicht",
     "één",     "ideeën", "gezellig", "avond",  "boeken",  "regen",   "morgen",  "zon",     "eindelijk", "thuis"});
constexpr auto kGerman = std::to_array<string_view>(
    {"heute",   "morgen", "war",     "der",     "Markt",   "voll",    "und",     "wir",     "haben",   "eine",
     "Bäckerei", "gefunden", "schönes", "Wetter", "über",  "dem",     "Fluss",   "die",     "Brücke",  "ist",
     "gesperrt", "danke", "an",      "alle",    "Freunde", "unsere",  "Mannschaft", "gewinnt", "wieder", "Kaffee",
     "am",      "Bahnhof", "Straße", "grüße",   "aus",     "Stadt",   "Musik",   "Abend",   "früh",    "Züge"});
constexpr auto kPortuguese = std::to_array<string_view>(
    {"hoje",    "cedo",   "o",       "mercado", "estava",  "cheio",   "e",       "encontramos", "pão",  "fresco",
     "que",     "manhã",  "linda",   "a",       "música",  "do",      "bairro",  "obrigado", "amigos", "pela",
     "noite",   "nossa",  "equipe",  "ganhou",  "de",      "novo",    "café",    "perto",   "da",      "estação",
     "coração", "praia",  "trânsito", "lento",  "ponte",   "fechada", "chuva",   "amanhã",  "não",     "saudade"});
constexpr auto kJapanese = std::to_array<string_view>(
    {"今朝",   "市場",   "とても", "にぎやか", "でした", "新しい", "パン屋", "見つけた", "駅",     "近く",
     "天気",   "いい",   "音楽",   "楽しい",   "友達",   "ありがとう", "橋",  "通行止め", "電車",  "遅れ",
     "コーヒー", "美味しい", "夜景", "きれい", "試合",   "勝った", "また",   "明日",     "雨",     "帰り道"});
constexpr auto kSounds = std::to_array<string_view>({"haha", "wow", "ooh", "hmm", "yay", "😂", "🎉", "🔥", "ok", "..."});

constexpr auto kTopics = std::to_array<string_view>(
    {"transit",    "playoffs", "election", "snow",     "housing",  "jazzfest", "marathon", "startups", "hockey",  "baking",
     "gardening",  "cinema",   "books",    "wildfires", "festival", "strike",  "budget",   "aurora",   "cycling", "soccer",
     "météo",      "élections", "vélo",    "fútbol",   "playa",    "voetbal",  "fiets",    "桜",       "祭り",    "eclipse"});

constexpr auto kBeginnings = std::to_array<string_view>(
    {"maple", "north", "quiet", "blue", "river", "amber", "swift", "lucky", "old", "snowy", "urban", "cedar", "happy", "paper",
     "copper", "misty"});
constexpr auto kEndings = std::to_array<string_view>(
    {"fox", "walker", "baker", "otter", "reader", "cyclist", "heron", "lens", "kite", "sailor", "poet", "cook", "owl", "drummer",
     "pilot", "gardener"});

}  // namespace

std::span<const string_view> WordsOf(string_view lang) {
  if (lang == "en") return kEnglish;
  if (lang == "fr") return kFrench;
  if (lang == "es") return kSpanish;
  if (lang == "nl") return kDutch;
  if (lang == "de") return kGerman;
  if (lang == "pt") return kPortuguese;
  if (lang == "ja") return kJapanese;
  return kSounds;
}
std::span<const string_view> Topics() { return kTopics; }
std::span<const string_view> NameBeginnings() { return kBeginnings; }
std::span<const string_view> NameEndings() { return kEndings; }

}  // namespace tailrace::ingest
