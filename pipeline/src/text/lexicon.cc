#include "text/lexicon.h"

#include <array>
#include <unordered_map>

#include "tailrace/base/check.h"
#include "text/word_list.h"

namespace tailrace::pipeline::text {
namespace {

struct WeightedWords {
  int weight;
  std::string_view words;
};

// English, then French, Spanish and Dutch where they differ. A word that two languages value differently is left out.
constexpr std::array<WeightedWords, 24> kLexicon = {{
    {3, R"(amazing awesome brilliant excellent extraordinary fabulous fantastic flawless magnificent marvelous masterpiece outstanding perfect
phenomenal spectacular stunning superb terrific wonderful)"},
    {2, R"(adore beautiful best bless celebrate champion cheerful delicious delight delighted enjoy enjoyed excited exciting glad good gorgeous
grateful great happy healthy hero impressive incredible inspiring joy kind love loved lovely loves loving lucky paradise peace proud
success successful sweet thankful thanks thrilled triumph victory win winner winning wins won)"},
    {1, R"(agree better bonus bright calm clean clever comfortable confident cool cute easy effective fair favorite fine fresh friend friendly fun
funny gain gains generous gift growth help helpful honest hope hopeful improve improved interesting like liked nice optimistic pleasant
positive profit profits promising rally recommend recover relax reliable rise rising safe smart smile solid strong surge upgrade useful
welcome worth yay)"},
    {-1, R"(afraid annoyed annoying bored boring busy cheap complain concern concerned confused confusing delay delayed difficult dirty doubt drop
dull expensive fake fall falling hard ill lack late lazy lonely loss losses lost messy miss missed negative noisy nervous problem problems
risk risky rude sell sick slow sorry strange stress tired trouble ugly unclear unfair upset weak weird worried worry wrong)"},
    {-2, R"(abuse accident angry attack awkward bad bankrupt broke broken cheat corrupt crash crisis cruel damage dangerous dead death debt decline
disappointed disappointing disappointment dreadful fail failed failing fails failure fear fraud guilty hate hated hates hurt injured injury
killed liar lie lies lose loser loses losing nasty pain painful panic pathetic plunge poor recession sad scam scared shame stupid suffer
terrified threat tragic useless victim violent waste worse)"},
    {-3, R"(abysmal appalling atrocious catastrophe catastrophic devastating disaster disastrous disgusting evil hideous murder nightmare outrage
terror terrorist torture unacceptable vile worst)"},

    {3, R"(exceptionnel exceptionnelle extraordinaire fabuleux fabuleuse fantastique formidable géniale génial magnifique magnifiques merveilleuse
merveilleux parfait parfaite splendide sublime)"},
    {2, R"(adorer aimer aime aimé amour beau beauté belle belles bonheur bravo célébrer champion content contente délicieux fier fière fête gagne
gagner gagné génie heureuse heureux joie joyeux meilleur meilleure merci paix ravi ravie réussi réussite succès superbe victoire)"},
    {1, R"(agréable aide aider ami amie amis amusant bienvenue calme charmant confiance croissance drôle efficace espoir facile fiable gentil gentille
honnête intéressant intéressante joli jolie mieux plaisir positif positive propre rassurant rire sourire sympa utile)"},
    {-1, R"(bizarre bruyant cher chère compliqué déçu déçue difficile doute ennui ennuyeux erreur fatigué fatiguée inquiet inquiète inquiétude
lent lente malade manque négatif perte pertes peur pire problème problèmes retard risque sale seul stressé)"},
    {-2, R"(agression arnaque colère crise danger dangereux déception désolé détester déteste douleur échec échoué fâché faillite guerre haine
honte injuste mauvais mauvaise menace mensonge menteur mort nul nulle perdre perdu souffrance souffrir stupide triste tristesse)"},
    {-3, R"(affreux affreuse catastrophique cauchemar dégoûtant désastre effroyable épouvantable horreur ignoble inacceptable insupportable odieux)"},

    {3, R"(asombroso espectacular estupendo excelente excelentes extraordinario fabuloso fantástica fantástico genial impresionante increíble
maravilla maravillosa maravilloso perfecta perfecto sobresaliente)"},
    {2, R"(adoro alegre alegría amor bella bello bendición buen buena bueno campeón celebrar contenta contento deliciosa delicioso disfruta disfrutar
encanta enamorado éxito exitoso felices felicidad feliz ganador ganar ganó gracias hermosa hermoso mejor mejores orgullo orgullosa orgulloso
paz querido triunfo victoria)"},
    {1, R"(agradable amable amiga amigo amigos apoyo ayuda ayudar bienvenido bonita bonito calma confianza crecimiento divertida divertido eficaz
esperanza fácil fuerte gusta gustan honesto interesante limpio linda lindo positivo reír seguro simpático sonrisa suerte tranquilo útil)"},
    {-1, R"(aburrido aburrida cansada cansado cara caro complicado difícil duda dudas enferma enfermo extraño lento miedo negativo nervioso
pérdida pérdidas preocupada preocupado problema problemas raro retraso riesgo ruido sucio)"},
    {-2, R"(ataque culpa daño decepción decepcionado dolor engaño enojado error estafa fracasar fracaso guerra herido injusto llorar mala malo
mentira mentiroso molesto muerte muerto odia odio peligro peligroso peor perder perdió quiebra sufrir tonto tristes tristeza vergüenza)"},
    {-3, R"(asco asesinato asqueroso catástrofe desastre desastroso espantoso fatal horrible horrenda pesadilla pésimo terrible terror)"},

    {3, R"(briljant fantastisch geweldig geweldige magnifiek ongelooflijk perfect perfecte prachtig prachtige schitterend uitmuntend uitstekend
uitstekende)"},
    {2, R"(beste blij dankbaar dank feest fijn gefeliciteerd gelukkig gelukkige genieten geniet geslaagd goede heerlijk heerlijke held
kampioen lekker liefde lief lieve mooi mooie mooiste succes succesvol tevreden trots verliefd vrede vreugde vrolijk winnaar winnen winst wint)"},
    {1, R"(aardig aangenaam aanrader behulpzaam betrouwbaar duidelijk eerlijk gemakkelijk gezellig gezond grappig groei hoop hulp
interessant knap kalm leuk leuke makkelijk nuttig positief rustig schoon slim sterk veilig vriend vriendelijk vrienden welkom zacht)"},
    {-1, R"(bang bezorgd druk duur eenzaam fout fouten jammer laat lastig lui moe moeilijk negatief onduidelijk onrust probleem problemen
raar rommel saai traag twijfel verlies verward vervelend vies vreemd zenuwachtig ziek zorgen zwak)"},
    {-2, R"(aanval bedrog boos boze dood dom faalt faillissement falen gehaat gevaar gevaarlijk gewond haat huilen leugen leugenaar lelijk
mislukt mislukking onrecht oorlog oplichting paniek pijn schade schuld slecht slechte slechter stom teleurgesteld teleurstelling
verdriet verdrietig verliezen verloren waardeloos woedend)"},
    {-3, R"(afgrijselijk afschuwelijk afschuwelijke catastrofe moord nachtmerrie rampzalig slechtste verschrikkelijk verschrikkelijke vreselijk
vreselijke walgelijk)"},
}};

const std::unordered_map<std::string_view, int>& Weights() {
  static const std::unordered_map<std::string_view, int> weights = [] {
    std::unordered_map<std::string_view, int> out;
    for (const WeightedWords& group : kLexicon) {
      ForEachWord(group.words, [&](std::string_view word) {
        const auto [entry, is_new] = out.emplace(word, group.weight);
        TAILRACE_CHECK(is_new || entry->second == group.weight, "the lexicon gives a word two weights: " + std::string(word));
      });
    }
    return out;
  }();
  return weights;
}

}  // namespace

int SentimentWeight(std::string_view word) {
  const auto& weights = Weights();
  const auto found = weights.find(word);
  return found == weights.end() ? 0 : found->second;
}

size_t SentimentWordCount() { return Weights().size(); }

int64_t SentimentOf(std::string_view text, WordReader& reader) {
  int64_t sum = 0;
  std::string_view word;
  reader.Start(text);
  while (reader.Next(word)) sum += SentimentWeight(word);
  return sum;
}

}  // namespace tailrace::pipeline::text
